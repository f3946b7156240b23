//! The same check on moka, which must fail it: this shows that the check can.

use std::sync::Arc;

use fastrand::Rng;

use crate::checker::Subject;
use crate::database::{Database, Row};

/// moka's single flight (`get_with`) with invalidation by key.
pub(crate) struct Moka(pub moka::future::Cache<u64, Row>);

impl Subject for Moka {
    async fn read(&self, database: &Arc<Database>, id: u64, _rng: &mut Rng) -> Row {
        self.0.get_with(id, database.load(id)).await
    }

    async fn write(&self, database: &Arc<Database>, id: u64, _rng: &mut Rng) -> Row {
        let row = database.commit(id);
        self.0.invalidate(&id).await;
        row
    }
}
