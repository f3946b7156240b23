//! The link that a URL leads to.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::batch::RedisBatch;
use super::cluster::Cluster;
use super::dial::Dial;
use super::ears::Source;
use super::lane::Settings;
use super::node::{Looked, Node, Outcome};
use super::sentinel::Sentinels;
use super::url::Topology;
use super::watches::Watches;
use crate::Result;
use crate::provider::commands::{Answer, Bucket, Form, Link, Listener, Sent, hit_answer};
use crate::provider::{Incarnation, Observed};

/// Redis over its own protocol.
#[derive(Debug)]
pub(crate) struct RedisLink {
    servers: Servers,
    settings: Arc<Settings>,
    source: Source,
    watches: Watches,
}

#[derive(Debug)]
enum Servers {
    /// One server, or whichever Sentinel names.
    One(Node),
    /// A cluster.
    Many(Arc<Cluster>),
}

impl RedisLink {
    pub(super) fn new(topology: Topology, settings: Settings, connections: usize) -> Self {
        let settings = Arc::new(settings);
        let one = |dial: Dial| {
            let node = Node::new(&dial, &settings, connections);
            (Servers::One(node), Source::One(dial))
        };
        let (servers, source) = match topology {
            Topology::Standalone(address) => one(Dial::Primary(address)),
            Topology::Sentinel { sentinels, service, login } => {
                one(Dial::Sentinel(Arc::new(Sentinels::new(sentinels, service, login))))
            }
            Topology::Cluster { seeds } => {
                let cluster = Cluster::new(seeds, settings.clone(), connections);
                let source = Source::Many(cluster.chart());
                (Servers::Many(Arc::new(cluster)), source)
            }
        };
        Self { servers, settings, source, watches: Watches::default() }
    }
}

impl Link for RedisLink {
    type Batch = RedisBatch;

    const FORM: Form = Form::Raw;
    const REST: bool = false;

    fn name(&self) -> &'static str {
        "redis"
    }

    fn buckets(&self) -> u16 {
        match &self.servers {
            Servers::One(_) => 1,
            Servers::Many(_) => super::slots::BUCKETS,
        }
    }

    fn is_fenced(&self) -> bool {
        self.settings.is_fenced.load(Ordering::Relaxed)
    }

    async fn send(
        &self,
        bucket: Bucket,
        batch: RedisBatch,
        life: Option<Incarnation>,
    ) -> Result<Sent> {
        self.watches.look();
        match &self.servers {
            Servers::One(node) => served(node.send(&batch, life).await?),
            // In a box, so that one server's future has no room for redirections.
            Servers::Many(cluster) => Box::pin(cluster.send(bucket, &batch, life)).await,
        }
    }

    fn look(
        &self,
        step: &'static str,
        batch: RedisBatch,
        marks: usize,
    ) -> impl Future<Output = Result<Observed>> + Send {
        // Packed before the future is made: it is that of every hit, and holds no more than it needs.
        let asked = match &self.servers {
            Servers::One(node) => Ok((node, batch.into_packed())),
            Servers::Many(_) => Err(Box::pin(self.send(Bucket(0), batch, None))),
        };
        async move {
            let sent = match asked {
                Ok((node, packed)) => {
                    self.watches.look();
                    match node.look(packed, marks).await? {
                        Looked::Observed(observed) => return Ok(observed),
                        Looked::Otherwise(outcome) => served(outcome)?,
                    }
                }
                Err(sent) => sent.await?,
            };
            hit_answer(step, Self::FORM, marks, sent.answer(step)?)
        }
    }

    async fn send_apart(&self, bucket: Bucket, batch: RedisBatch) -> Result<Answer> {
        let sent = match &self.servers {
            Servers::One(node) => node.send_apart(&batch).await,
            Servers::Many(cluster) => cluster.chart().owner(bucket).await?.send_apart(&batch).await,
        };
        served(sent?)?.answer("redis")
    }

    async fn one_of_each(&self, buckets: Vec<Bucket>) -> Result<Vec<Bucket>> {
        let Servers::Many(cluster) = &self.servers else { return Ok(buckets) };
        let (chart, mut seen, mut ones) = (cluster.chart(), Vec::new(), Vec::new());
        for bucket in buckets {
            let owner = chart.owner(bucket).await?;
            if !seen.iter().any(|other| Arc::ptr_eq(other, &owner)) {
                seen.push(owner);
                ones.push(bucket);
            }
        }
        Ok(ones)
    }

    async fn nodes(&self) -> Result<usize> {
        match &self.servers {
            Servers::One(_) => Ok(1),
            Servers::Many(cluster) => cluster.primaries().await,
        }
    }

    async fn send_to(&self, node: usize, batch: RedisBatch) -> Result<Answer> {
        let sent = match &self.servers {
            Servers::One(one) => served(one.send(&batch, None).await?)?,
            Servers::Many(cluster) => cluster.send_to(node, &batch).await?,
        };
        sent.answer("redis")
    }

    fn serves_in_part(&self) -> bool {
        match &self.servers {
            Servers::One(_) => false,
            Servers::Many(cluster) => cluster.serves_in_part(),
        }
    }

    fn watch(&self, listener: Listener) -> bool {
        self.watches.add(self.source.clone(), &self.settings, listener)
    }

    async fn shutdown(&self) -> Result<()> {
        self.watches.shut();
        match &self.servers {
            Servers::One(node) => node.shut(),
            Servers::Many(cluster) => cluster.shut(),
        }
        Ok(())
    }
}

/// What a server answered; its refusal as an error.
pub(super) fn served(outcome: Outcome) -> Result<Sent> {
    match outcome {
        Outcome::Done(sent) => Ok(sent),
        Outcome::Refused(fault) => Err(fault.error()),
    }
}
