//! Every receiver of an inherent impl.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use cache_runtime::cached;

#[derive(Clone)]
pub struct Repo {
    tenant: String,
    calls: u64,
}

impl Repo {
    #[cached(key = "ref:<self.tenant>:<id>", tags = ["tenant:<self.tenant>"])]
    pub async fn by_ref(&self, id: u64) -> u64 {
        id + self.calls
    }

    #[cached(key = "mut:<self.tenant>:<id>")]
    pub async fn by_mut(&mut self, id: u64) -> u64 {
        self.calls += 1;
        id + self.calls
    }

    #[cached(key = "arc:<self.tenant>:<id>")]
    pub async fn by_arc(self: Arc<Self>, id: u64) -> u64 {
        id + self.calls
    }

    #[cached(key = "value:<id>")]
    pub async fn by_value(mut self, id: u64) -> u64 {
        self.calls += 1;
        id + self.calls
    }

    #[cached(key = "box:<id>")]
    pub async fn by_box(self: Box<Self>, id: u64) -> u64 {
        id + self.calls
    }

    #[cached(key = "rc:<self.tenant>:<id>")]
    pub async fn by_rc(self: Rc<Self>, id: u64) -> u64 {
        id + self.calls
    }

    #[cached(key = "pin:<self.tenant>:<id>")]
    pub async fn by_pin(self: Pin<&mut Self>, id: u64) -> u64 {
        id + self.calls
    }

    #[cached]
    pub async fn left_out(&self, id: u64) -> Result<u64, String> {
        Ok(id)
    }
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        let mut repo = Repo { tenant: "t:1".into(), calls: 0 };
        assert_eq!(repo.by_ref(1).await, 1);
        assert_eq!(repo.by_ref_key(1).as_str(), "ref:t%3A1:1");
        assert_eq!(repo.by_mut(1).await, 2);
        assert_eq!(Arc::new(repo.clone()).by_arc(1).await, 2);
        assert_eq!(repo.clone().by_value(1).await, 3);
        assert_eq!(Box::new(repo.clone()).by_box(1).await, 2);
        assert_eq!(Rc::new(repo.clone()).by_rc(1).await, 2);
        assert_eq!(Pin::new(&mut repo).by_pin(1).await, 2);
        assert_eq!(repo.left_out(1).await, Ok(1));
        assert!(repo.left_out_key(1).as_str().ends_with("Repo::left_out:1"));
        repo.by_ref_invalidate(1).await.unwrap();
        Repo::by_ref_invalidate_all().await.unwrap();
        assert_eq!(repo.by_ref_refresh(1).await, 2);
        repo.by_ref_peek(1).await;
        repo.by_ref_put(1, &2).await.unwrap();
        assert_eq!(repo.by_ref_uncached(1).await, 2);
    };
    cache_runtime::scope(cache, program).await;
}
