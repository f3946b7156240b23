//! The steps of a load: acquiring a cell, filling it, keeping it and giving it up.

use std::time::Duration;

use super::join::join_all;
use super::link::{Batch, Bucket, Link, Reply, Sent};
use super::marks::Group;
use super::reply;
use super::scripts::Call;
use super::steps::{Ran, Steps};
use crate::entry::{Incarnation, Prefix, unique_bytes};
use crate::provider::{
    Acquire, Acquired, Baseline, Expected, Extent, Fill, Filled, Lookup, Mark, MarkState,
    OnRefused, Refusal, ttl_millis,
};
use crate::{Error, ErrorKind, Result};

/// The largest string that a server takes unless it is told otherwise (`proto-max-bulk-len`). One
/// that is larger costs the connection, and with it the answers of everybody else.
const LARGEST_VALUE: usize = 512 * 1024 * 1024;

/// What the script of a fill told.
enum Told {
    Stored { states: Vec<Reply>, incarnation: Incarnation },
    Refused(Refusal),
}

impl<L: Link> Steps<L> {
    /// [`Provider::acquire`](crate::provider::Provider::acquire).
    pub(super) async fn begin_load(&self, request: Acquire<'_>) -> Result<Acquired> {
        const STEP: &str = "acquire";
        self.check_open(STEP)?;
        let home = self.names.bucket_of(request.key);
        let (here, elsewhere) = self.groups_beside(request.key, request.marks);
        let mut calls = vec![self.acquire_call(&request, home, &here)?];
        for group in &elsewhere {
            calls.push(self.ensure_call(STEP, request.marks, group, request.mark_ttl)?);
        }
        let mut results = join_all(calls.iter().map(|call| self.run_now(STEP, call))).await;
        let others = results.split_off(1);
        let Some(own) = results.pop() else { return Err(reply::miscounted(STEP)) };
        let (told, incarnation) = match own {
            Ok((reply, incarnation)) => (pair(STEP, reply)?, incarnation),
            Err(error) if others.iter().any(Result::is_ok) => {
                return Err(reply::half_done(STEP, error));
            }
            Err(error) => return Err(error),
        };
        let states = match told {
            (0, Reply::Bytes(found)) => {
                return Ok(Acquired::Busy(Prefix::of(&L::FORM.decode_cell(found))));
            }
            (1, states) => reply::list(STEP, states)?,
            (_, other) => return Err(reply::unexpected(STEP, other)),
        };
        let mut marks = vec![MarkState::Absent; request.marks.len()];
        here.put_states(STEP, L::FORM, states, incarnation, &mut marks)?;
        for (group, result) in elsewhere.iter().zip(others) {
            match result.and_then(|(reply, life)| Ok((reply::list(STEP, reply)?, life))) {
                Ok((states, life)) => {
                    group.put_states(STEP, L::FORM, states, life, &mut marks)?;
                }
                Err(error) => {
                    // Nobody will load under this lease: it must not keep others waiting. If that
                    // fails as well, the lease expires by itself.
                    let _ = self.give_up(request.key, request.lease).await;
                    return Err(reply::half_done(STEP, error));
                }
            }
        }
        Ok(Acquired::Granted(Baseline { marks, incarnation }))
    }

    fn acquire_call(&self, request: &Acquire<'_>, home: Bucket, here: &Group) -> Result<Call<'_>> {
        const STEP: &str = "acquire";
        let mut call = self.cell_call(STEP, &self.scripts.acquire, request.key, home)?;
        self.push_names(STEP, &mut call, request.marks, here)?;
        call.arguments.push(&L::FORM.encode_expected(request.expected));
        call.arguments.push(&L::FORM.encode_cell(request.lease.as_bytes()));
        call.arguments.push_number(ttl_millis(request.lease_ttl));
        call.arguments.push_number(ttl_millis(request.mark_ttl));
        for _ in &here.places {
            call.arguments.push(&L::FORM.encode_nonce(unique_bytes()));
        }
        Ok(call)
    }

    /// [`Provider::fill`](crate::provider::Provider::fill).
    pub(super) async fn end_load(&self, request: Fill<'_>) -> Result<Filled> {
        const STEP: &str = "fill";
        self.check_open(STEP)?;
        if request.value.len() < Prefix::LENGTH {
            let message = format!(
                "the value has {} bytes, and begins with a prefix of {}",
                request.value.len(),
                Prefix::LENGTH
            );
            return Err(Error::new(ErrorKind::Codec, STEP, message));
        }
        let home = self.names.bucket_of(request.key);
        // The nonce that a guard's stamp stands for is known only together with the life of the
        // server that holds it: the script compares those whose server's life was named.
        let (in_script, beforehand): (Vec<_>, Vec<_>) =
            request.guards.iter().copied().partition(|(mark, _)| {
                let bucket = self.names.bucket_of_mark(request.key, mark);
                request.incarnation.is_some() && bucket == home
            });
        if !beforehand.is_empty() {
            let marks: Vec<Mark<'_>> = beforehand.iter().map(|(mark, _)| *mark).collect();
            let lookup = Lookup::new(request.key).marks(&marks).extent(Extent::Nothing);
            let seen = self.look_up(STEP, &[lookup]).await?;
            let states = seen.iter().flat_map(|seen| &seen.marks);
            let hold = states.zip(&beforehand).all(|(state, guard)| state.stamp() == Some(guard.1));
            if !hold {
                return self.refuse(&request, Refusal::Guard).await;
            }
        }
        let (here, elsewhere) = self.groups_beside(request.key, request.marks);
        let value = L::FORM.encode_cell(request.value);
        if value.len() > LARGEST_VALUE {
            let message =
                format!("the value takes {} bytes of at most {LARGEST_VALUE}", value.len());
            return Err(Error::new(ErrorKind::TooLarge, STEP, message));
        }
        let is_plain = request.expected == Expected::Anything;
        let told = if is_plain && here.places.is_empty() && in_script.is_empty() {
            self.set(&request, home, &value).await?
        } else {
            let mut call = self.fill_call(&request, home, &here, &in_script)?;
            call.value = Some(&value);
            self.compare_and_set(&request, &call).await?
        };
        let (states, incarnation) = match told {
            Told::Stored { states, incarnation } => (states, incarnation),
            // The script has removed the cell already, if that was asked for.
            Told::Refused(Refusal::Incarnation) => {
                return self.refuse(&request, Refusal::Incarnation).await;
            }
            Told::Refused(refusal) => return Ok(Filled::Refused(refusal)),
        };
        let mut marks = vec![MarkState::Absent; request.marks.len()];
        here.put_states(STEP, L::FORM, states, incarnation, &mut marks)?;
        let touched = self.touch(STEP, request.marks, &elsewhere, request.mark_ttl, &mut marks);
        touched.await.map_err(|error| reply::half_done(STEP, error))?;
        Ok(Filled::Stored(marks))
    }

    /// Stores without a condition on the cell: no script is needed.
    async fn set(&self, request: &Fill<'_>, home: Bucket, value: &[u8]) -> Result<Told> {
        const STEP: &str = "fill";
        let (mut batch, mut name) = (L::Batch::default(), Vec::new());
        self.names.write_cell(STEP, home, request.key, &mut name)?;
        let ttl = ttl_millis(request.ttl).to_string();
        batch.command("SET").arg(&name).arg(value).arg(b"PX").arg(ttl.as_bytes());
        let answer = match self.link.send(home, batch, request.incarnation).await? {
            Sent::Answered(answer) => answer,
            Sent::OtherLife => return Ok(Told::Refused(Refusal::Incarnation)),
        };
        match reply::single(STEP, answer.replies)? {
            Reply::Status => {
                Ok(Told::Stored { states: Vec::new(), incarnation: answer.incarnation })
            }
            other => Err(reply::unexpected(STEP, other)),
        }
    }

    async fn compare_and_set(&self, request: &Fill<'_>, call: &Call<'_>) -> Result<Told> {
        const STEP: &str = "fill";
        let (reply, incarnation) = match self.run(STEP, call, request.incarnation).await? {
            Ran::Replied(reply, incarnation) => (reply, incarnation),
            Ran::OtherLife => return Ok(Told::Refused(Refusal::Incarnation)),
        };
        match pair(STEP, reply)? {
            (1, states) => Ok(Told::Stored { states: reply::list(STEP, states)?, incarnation }),
            (0, Reply::Bytes(reason)) if reason == b"guard" => Ok(Told::Refused(Refusal::Guard)),
            (0, Reply::Bytes(_)) => Ok(Told::Refused(Refusal::Cell)),
            (_, other) => Err(reply::unexpected(STEP, other)),
        }
    }

    fn fill_call(
        &self,
        request: &Fill<'_>,
        home: Bucket,
        here: &Group,
        guards: &[(Mark<'_>, crate::entry::Stamp)],
    ) -> Result<Call<'_>> {
        const STEP: &str = "fill";
        let mut call = self.cell_call(STEP, &self.scripts.fill, request.key, home)?;
        self.push_names(STEP, &mut call, request.marks, here)?;
        let mut name = Vec::new();
        for (mark, _) in guards {
            self.names.write_mark(STEP, home, mark, &mut name)?;
            call.keys.push(&name);
        }
        call.arguments.push(&L::FORM.encode_expected(request.expected));
        call.arguments.push_number(ttl_millis(request.ttl));
        call.arguments.push(match request.on_refused {
            OnRefused::Keep => b"keep",
            OnRefused::Remove => b"remove",
        });
        call.arguments.push_number(ttl_millis(request.mark_ttl));
        call.arguments.push_number(here.places.len() as u64);
        for (_, stamp) in guards {
            // There are guards here only where the life was named.
            let life = request.incarnation.unwrap_or(Incarnation::UNKNOWN);
            call.arguments.push(&L::FORM.encode_nonce(stamp.nonce(life)));
        }
        Ok(call)
    }

    /// Ends a fill that was refused before a script could see to the cell.
    async fn refuse(&self, request: &Fill<'_>, refusal: Refusal) -> Result<Filled> {
        if request.on_refused == OnRefused::Remove {
            let keys = [request.key];
            self.unlink_lots("fill", &self.lots("fill", &keys, &[])?).await?;
        }
        Ok(Filled::Refused(refusal))
    }

    /// [`Provider::renew`](crate::provider::Provider::renew).
    pub(super) async fn prolong(&self, key: &str, prefix: Prefix, ttl: Duration) -> Result<bool> {
        const STEP: &str = "renew";
        self.check_open(STEP)?;
        let home = self.names.bucket_of(key);
        let mut call = self.cell_call(STEP, &self.scripts.renew, key, home)?;
        call.arguments.push(&L::FORM.encode_expected(Expected::Prefix(prefix)));
        call.arguments.push_number(ttl_millis(ttl));
        let (reply, _) = self.run_now(STEP, &call).await?;
        Ok(reply::count(STEP, reply)? > 0)
    }

    /// [`Provider::release`](crate::provider::Provider::release).
    pub(super) async fn give_up(&self, key: &str, prefix: Prefix) -> Result<bool> {
        const STEP: &str = "release";
        self.check_open(STEP)?;
        let home = self.names.bucket_of(key);
        let mut call = self.cell_call(STEP, &self.scripts.release, key, home)?;
        call.arguments.push(&L::FORM.encode_expected(Expected::Prefix(prefix)));
        let (reply, _) = self.run_now(STEP, &call).await?;
        Ok(reply::count(STEP, reply)? > 0)
    }
}

/// A script's answer: what came out, and what belongs to it.
fn pair(step: &'static str, reply: Reply) -> Result<(i64, Reply)> {
    let mut parts = reply::list(step, reply)?.into_iter();
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Reply::Integer(outcome)), Some(detail), None) => Ok((outcome, detail)),
        _ => Err(reply::miscounted(step)),
    }
}
