//! All servers that are listened to at the same time.

use std::sync::Arc;
use std::time::Instant;

use super::chart::Chart;
use super::dial::Dial;
use super::ear::{Deaf, Ear, Question, Said};
use super::lane::{PROBE, Settings};
use super::layout::Layout;
use super::sighted::Sighted;
use super::slots::BUCKETS;
use super::url::Address;
use crate::provider::commands::{Listener, join_all};

/// Whom to listen to.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// One server, or whichever Sentinel names.
    One(Dial),
    /// All primaries of a cluster.
    Many(Arc<Chart>),
}

/// Whom to listen to, how, and for whom.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) source: Source,
    pub(super) settings: Settings,
    pub(super) listener: Arc<Listener>,
}

/// The servers, and what was known of their cluster when they were chosen.
#[derive(Debug, Default)]
pub(super) struct Ears {
    ears: Vec<Ear>,
    sighted: Sighted,
    is_settled: bool,
    /// Which bucket of each server is asked for next.
    turn: usize,
    next_layout: Option<Instant>,
}

impl Ears {
    /// Whether the right servers were listened to when that was looked at last.
    pub(super) fn are_settled(&self) -> bool {
        self.is_settled
    }

    /// Has the servers looked up and those that are lost replaced before the next sign of life.
    pub(super) fn unsettle(&mut self) {
        self.is_settled = false;
        self.ears.retain(|ear| !ear.is_over());
    }

    /// Listens to all servers that may be written to, and to no other ones.
    pub(super) async fn settle(&mut self, target: &Target) -> Result<(), Deaf> {
        let wanted: Vec<(Option<Address>, Dial)> = match &target.source {
            Source::One(dial) => vec![(None, dial.clone())],
            Source::Many(chart) => {
                chart.renewed().await?;
                self.sighted = chart.sighted();
                let all = self.sighted.primaries.iter().chain(&self.sighted.strangers);
                all.map(|at| (Some(at.clone()), Dial::Member(at.clone()))).collect()
            }
        };
        self.ears.retain(|ear| !ear.is_over() && wanted.iter().any(|(at, _)| *at == ear.at));
        let is_missing = |at: &Option<Address>| !self.ears.iter().any(|ear| ear.at == *at);
        let missing: Vec<_> = wanted.into_iter().filter(|(at, _)| is_missing(at)).collect();
        let (settings, prefix) = (&target.settings, target.listener.prefix());
        let open = |(at, dial): &(Option<Address>, Dial)| {
            Ear::open(at.clone(), dial.clone(), settings, prefix)
        };
        let opened = join_all(missing.iter().map(open)).await;
        let mut deaf = None;
        for ((at, _), ear) in missing.iter().zip(opened) {
            match ear {
                Ok(ear) => self.ears.push(ear),
                Err(error) => {
                    self.forget(&target.source, at.as_ref());
                    deaf = Some(error);
                }
            }
        }
        // Who is in charge is asked again on the connections that were opened meanwhile.
        self.next_layout = None;
        match deaf {
            Some(deaf) => Err(deaf),
            None => {
                self.is_settled = true;
                Ok(())
            }
        }
    }

    /// A server that redirections alone have named and that cannot be heard need not be there any
    /// more. If it is, the next redirection names it again.
    fn forget(&self, source: &Source, at: Option<&Address>) {
        let Some(at) = at else { return };
        if let Source::Many(chart) = source
            && self.sighted.strangers.contains(at)
        {
            chart.named().forget(at);
        }
    }

    /// Asks all of them for a sign of life. Those that do not give it are let go.
    pub(super) async fn ask(
        &mut self,
        target: &Target,
        waiting: &(dyn Fn() + Sync),
    ) -> Result<(), Deaf> {
        let settings = &target.settings;
        let questions = self.questions(target);
        let asked = self.ears.iter_mut().zip(&questions);
        let said =
            join_all(asked.map(|(ear, question)| ear.ask(question, settings, waiting))).await;
        for said in self.keep_good(said)? {
            self.weigh(&target.source, said)?;
        }
        let pinged = join_all(self.ears.iter().map(|ear| ear.ping(settings, waiting))).await;
        self.keep_good(pinged)?;
        match &target.source {
            Source::Many(chart) if chart.named().edition() != self.sighted.edition => {
                Err(Deaf::Elsewhere)
            }
            _ => Ok(()),
        }
    }

    /// What each server is asked: in turn, whether it is in charge of one of its buckets, and once
    /// in a while one of them, who is in charge of what.
    fn questions(&mut self, target: &Target) -> Vec<Question> {
        let mut questions: Vec<Question> = self.ears.iter().map(|_| Question::default()).collect();
        let Source::Many(_) = &target.source else { return questions };
        self.turn = self.turn.wrapping_add(1);
        for (ear, question) in self.ears.iter().zip(&mut questions) {
            let buckets: Vec<u16> =
                (0..BUCKETS).filter(|b| self.owner(*b) == ear.at.as_ref()).collect();
            let bucket = (!buckets.is_empty()).then(|| buckets[self.turn % buckets.len()]);
            question.name = bucket.map(|bucket| {
                [target.listener.prefix(), format!("{{{bucket}}}").as_bytes()].concat()
            });
        }
        let now = Instant::now();
        if self.next_layout.is_none_or(|next| now >= next) && !questions.is_empty() {
            self.next_layout = Some(now + PROBE);
            let chosen = fastrand::usize(..questions.len());
            questions[chosen].layout = true;
        }
        questions
    }

    fn owner(&self, bucket: u16) -> Option<&Address> {
        let place = self.sighted.owners.get(usize::from(bucket)).copied().flatten()?;
        self.sighted.primaries.get(place)
    }

    /// What all said; or why not all did, and those who did not are let go.
    fn keep_good<T>(&mut self, said: Vec<Result<T, Deaf>>) -> Result<Vec<T>, Deaf> {
        let mut outcome = Ok(Vec::new());
        let mut is_good = Vec::with_capacity(said.len());
        for said in said {
            is_good.push(!matches!(said, Err(Deaf::Lost(_) | Deaf::Refused(_))));
            match (said, &mut outcome) {
                (Ok(said), Ok(all)) => all.push(said),
                (Err(deaf), Ok(_)) => outcome = Err(deaf),
                (_, Err(_)) => {}
            }
        }
        let mut is_good = is_good.into_iter();
        self.ears.retain(|_| is_good.next().unwrap_or(false));
        outcome
    }

    /// Whether what one server said fits what the servers were chosen by.
    fn weigh(&self, source: &Source, said: Said) -> Result<(), Deaf> {
        let Source::Many(chart) = source else { return Ok(()) };
        if let Some((host, port)) = &said.ask {
            // Named for the first time, it is a stranger, and the chart has another edition.
            drop(chart.at(host, *port));
        }
        match said.layout {
            Some(layout) if !self.is_same(&layout) => {
                chart.renew();
                Err(Deaf::Elsewhere)
            }
            _ => Ok(()),
        }
    }

    fn is_same(&self, layout: &Layout) -> bool {
        layout.owners == self.sighted.owners && layout.primaries == self.sighted.primaries
    }
}
