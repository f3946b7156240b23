//! t
#[global_allocator]
static A: cache_benches::alloc::CountingAllocator = cache_benches::alloc::CountingAllocator;
fn main() {
    use cache_benches::{*, workload::Order};
    let a: Vec<String> = std::env::args().collect();
    if a.len() > 3 { probe::serve(&a[2], &a[3]).unwrap(); return; }
    let rows: Vec<_> = contestants::all().into_iter().filter(|r| r.id.starts_with("ours") || r.id.starts_with("quick-u64") || r.id=="quick-text" || r.id=="papaya-u64"||r.id=="map-u64").collect();
    let hits: Vec<_> = rows.iter().map(|r| (r.build)()).collect();
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut s: Vec<[timing::Samples; 5]> = rows.iter().map(|_| Default::default()).collect();
    let loads = workload::loads();
    for _ in 0..11 { for (i, h) in hits.iter().enumerate() {
        s[i][0].push(timing::one_thread(h, workload::steps(Order::Hot)));
        s[i][1].push(timing::one_thread(h, workload::steps(Order::Zipf)));
        s[i][2].push(timing::two_threads(h, workload::steps(Order::Hot)));
        s[i][3].push(timing::two_threads(h, workload::steps(Order::Zipf)));
        s[i][4].push(timing::eight_tasks(&rt, 2, h, workload::steps(Order::Zipf)));
    }}
    println!("loads {}", workload::loads() - loads);
    for (r, s) in rows.iter().zip(&s) {
        println!("{:20} {} {:?} {:?}", r.id, s.iter().map(|s| format!("{:8.1} ±{:3.0}%", s.median(), s.spread()*100.)).collect::<String>(), probe::allocations(r.id), probe::instructions(r.id));
    }
    for r in memory::ROWS { println!("{} {:?}", r.id, probe::overhead(r.id)); }
    use hit_ratio::*; for t in Trace::ALL { let r=t.requests(); for row in ROWS { println!("{t:?} {} {:.1}", row.label, (row.replay)(&r)); } }
    println!("{:?}", compile_cost::measure());
}
