//! Marks: which lie together, and the steps that concern them alone.

use std::time::Duration;

use super::form::Form;
use super::join::{join, join_all};
use super::link::{Bucket, Link, Reply};
use super::reply;
use super::scripts::{Call, Script};
use super::steps::Steps;
use crate::Result;
use crate::entry::{Incarnation, unique_bytes};
use crate::provider::{Baseline, Mark, MarkKind, MarkState, ttl_millis};

/// Marks that lie in one bucket.
pub(super) struct Group {
    pub(super) bucket: Bucket,
    /// Which ones of the request's.
    pub(super) places: Vec<usize>,
}

impl Group {
    /// Puts what these marks hold to their places among the states of all.
    pub(super) fn put_states(
        &self,
        step: &'static str,
        form: Form,
        replies: Vec<Reply>,
        incarnation: Incarnation,
        states: &mut [MarkState],
    ) -> Result<()> {
        if replies.len() != self.places.len() {
            return Err(reply::miscounted(step));
        }
        for (place, reply) in self.places.iter().zip(replies) {
            states[*place] = reply::mark_state(step, form, reply, incarnation)?;
        }
        Ok(())
    }
}

impl<L: Link> Steps<L> {
    /// The marks in the bucket of a key, and those in other ones.
    pub(super) fn groups_beside(&self, key: &str, marks: &[Mark<'_>]) -> (Group, Vec<Group>) {
        let mut here = Group { bucket: self.names.bucket_of(key), places: Vec::new() };
        let mut elsewhere: Vec<Group> = Vec::new();
        for (place, mark) in marks.iter().enumerate() {
            let bucket = self.names.bucket_of_mark(key, mark);
            if bucket == here.bucket {
                here.places.push(place);
            } else if let Some(group) = elsewhere.iter_mut().find(|group| group.bucket == bucket) {
                group.places.push(place);
            } else {
                elsewhere.push(Group { bucket, places: vec![place] });
            }
        }
        (here, elsewhere)
    }

    /// Every copy of the marks, by bucket.
    pub(super) fn groups_of_copies(&self, marks: &[Mark<'_>]) -> Vec<Group> {
        let mut groups: Vec<Group> =
            self.names.buckets().map(|bucket| Group { bucket, places: Vec::new() }).collect();
        for (place, mark) in marks.iter().enumerate() {
            match mark.kind {
                MarkKind::Scope => groups.iter_mut().for_each(|group| group.places.push(place)),
                MarkKind::Tag | MarkKind::Epoch => {
                    let bucket = self.names.bucket_of(mark.name);
                    groups[usize::from(bucket.0)].places.push(place);
                }
            }
        }
        groups.retain(|group| !group.places.is_empty());
        groups
    }

    /// A run of a script over a cell.
    pub(super) fn cell_call<'s>(
        &self,
        step: &'static str,
        script: &'s Script,
        key: &str,
        home: Bucket,
    ) -> Result<Call<'s>> {
        let (mut call, mut name) = (Call::new(script, home), Vec::new());
        self.names.write_cell(step, home, key, &mut name)?;
        call.keys.push(&name);
        Ok(call)
    }

    /// Adds the names of a group's marks to a run's keys.
    pub(super) fn push_names(
        &self,
        step: &'static str,
        call: &mut Call<'_>,
        marks: &[Mark<'_>],
        group: &Group,
    ) -> Result<()> {
        let mut name = Vec::new();
        for place in &group.places {
            self.names.write_mark(step, group.bucket, &marks[*place], &mut name)?;
            call.keys.push(&name);
        }
        Ok(())
    }

    /// A run of a script over a group of marks, with a TTL.
    fn marks_call<'s>(
        &self,
        step: &'static str,
        script: &'s Script,
        marks: &[Mark<'_>],
        group: &Group,
        ttl: Duration,
    ) -> Result<Call<'s>> {
        let mut call = Call::new(script, group.bucket);
        self.push_names(step, &mut call, marks, group)?;
        call.arguments.push_number(ttl_millis(ttl));
        Ok(call)
    }

    /// Creates the absent ones among a group's marks.
    pub(super) fn ensure_call(
        &self,
        step: &'static str,
        marks: &[Mark<'_>],
        group: &Group,
        ttl: Duration,
    ) -> Result<Call<'_>> {
        let mut call = self.marks_call(step, &self.scripts.ensure, marks, group, ttl)?;
        for _ in &group.places {
            call.arguments.push(&L::FORM.encode_nonce(unique_bytes()));
        }
        Ok(call)
    }

    /// [`Provider::ensure_marks`](crate::provider::Provider::ensure_marks).
    pub(super) async fn ensure(
        &self,
        key: &str,
        marks: &[Mark<'_>],
        ttl: Duration,
    ) -> Result<Baseline> {
        const STEP: &str = "ensure_marks";
        self.check_open(STEP)?;
        let (here, mut groups) = self.groups_beside(key, marks);
        let home = here.bucket;
        let is_asked_at_home = !here.places.is_empty();
        if is_asked_at_home {
            groups.push(here);
        }
        let calls: Result<Vec<Call<'_>>> =
            groups.iter().map(|group| self.ensure_call(STEP, marks, group, ttl)).collect();
        let calls = calls?;
        let runs = join_all(calls.iter().map(|call| self.run_now(STEP, call)));
        let ping = async {
            if is_asked_at_home { Ok(None) } else { self.ping_bucket(STEP, home).await.map(Some) }
        };
        let (results, ping) = join(runs, ping).await;
        let results = reply::all_done(STEP, results)?;
        // Where the home bucket was asked, it was the last.
        let incarnation = match (ping?, results.last()) {
            (Some(incarnation), _) => incarnation,
            (None, Some((_, incarnation))) => *incarnation,
            (None, None) => return Err(reply::miscounted(STEP)),
        };
        let mut states = vec![MarkState::Absent; marks.len()];
        for (group, (reply, life)) in groups.iter().zip(results) {
            group.put_states(STEP, L::FORM, reply::list(STEP, reply)?, life, &mut states)?;
        }
        Ok(Baseline { marks: states, incarnation })
    }

    /// Lets the live ones among groups of marks live on, and puts down what all of them hold.
    pub(super) async fn touch(
        &self,
        step: &'static str,
        marks: &[Mark<'_>],
        groups: &[Group],
        ttl: Duration,
        states: &mut [MarkState],
    ) -> Result<()> {
        if groups.is_empty() {
            return Ok(());
        }
        let call = |group| self.marks_call(step, &self.scripts.touch, marks, group, ttl);
        let calls: Result<Vec<Call<'_>>> = groups.iter().map(call).collect();
        let calls = calls?;
        let results = join_all(calls.iter().map(|call| self.run_now(step, call))).await;
        for (group, result) in groups.iter().zip(results) {
            let (reply, life) = result?;
            group.put_states(step, L::FORM, reply::list(step, reply)?, life, states)?;
        }
        Ok(())
    }
}
