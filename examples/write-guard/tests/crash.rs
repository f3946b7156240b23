//! The program, with a real store between its runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use cache_tests::servers::{RedisServer, until};

struct Shop {
    redis: RedisServer,
    database: PathBuf,
}

impl Shop {
    fn open(name: &str) -> Self {
        let database = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // Of an earlier run.
        let _ = std::fs::remove_file(&database);
        Self { redis: RedisServer::start(), database }
    }

    fn run(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_write-guard"))
            .arg(&self.database)
            .args(words)
            .env("CACHE_PROVIDER", "redis")
            .env("REDIS_URL", self.redis.url())
            // A busy machine is not what is checked here.
            .env("CACHE_TIMEOUT", "5s")
            .output()
            .expect("the program runs")
    }

    fn write(&self, cents: &str, flags: &[&str]) {
        let words: Vec<&str> = ["write", "tea", cents].iter().chain(flags).copied().collect();
        let output = self.run(&words);
        assert_eq!(output.status.success(), !flags.contains(&"--crash"), "{output:?}");
    }

    fn read(&self) -> String {
        let output = self.run(&["read", "tea"]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Whether entries with the tag are served and stored: it has a nonce, which is 8 bytes long.
    fn is_caching(&self) -> bool {
        format!("{:?}", self.redis.command(&["STRLEN", ":t:prices"])) == "int(8)"
    }
}

#[test]
fn without_a_guard_a_writer_that_dies_leaves_an_old_price() {
    let shop = Shop::open("unguarded.db");
    shop.write("3", &[]);
    assert_eq!(shop.read(), "3");
    shop.write("4", &["--crash"]);
    assert_eq!(shop.read(), "3", "this is what the guard is for");
    shop.write("5", &[]);
    assert_eq!(shop.read(), "5");
}

#[test]
fn with_a_guard_nobody_reads_an_old_price() {
    let shop = Shop::open("guarded.db");
    shop.write("3", &["--guard"]);
    assert_eq!(shop.read(), "3");
    assert!(shop.is_caching());
    shop.write("4", &["--guard", "--crash"]);
    assert_eq!(shop.read(), "4");
    // The hold ends by itself, and prices are cached again.
    until(Duration::from_secs(20), "the hold to end", || shop.read() == "4" && shop.is_caching());
    shop.write("5", &["--guard"]);
    assert_eq!(shop.read(), "5");
}
