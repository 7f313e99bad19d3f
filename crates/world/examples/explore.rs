//! scratch
use autochanger_world::*;
use std::collections::BTreeMap;
use std::sync::Mutex;
fn main() {
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let acts = args.get(2).copied().unwrap_or(120) as usize;
    if args.len() == 4 || args[1] == args[0] + 1 {
        let story = draw(args[0], acts);
        let t = Telling { transcript: true, ..Default::default() };
        if let Err(v) = tell(&story, t) {
            println!("{} {}", v.checker, v.what);
        }
        let s = shrink(&story, t);
        match tell(&s, t) {
            Err(v) => println!("{v}\n{s}"),
            Ok(t) => println!("{t:?}"),
        }
        return;
    }
    std::panic::set_hook(Box::new(|_| {}));
    let found: Mutex<BTreeMap<String, (u64, u64, String)>> = Mutex::default();
    let tally = Mutex::new(Tally::default());
    let next = std::sync::atomic::AtomicU64::new(args[0]);
    let start = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if seed >= args[1] {
                        return;
                    }
                    match tell(&draw(seed, acts), Telling::default()) {
                        Ok(t) => tally.lock().unwrap().add(t),
                        Err(v) => {
                            let key = format!(
                                "{} {}",
                                v.checker,
                                v.what.chars().filter(|c| !c.is_ascii_digit()).take(30).collect::<String>()
                            );
                            let mut f = found.lock().unwrap();
                            let e = f.entry(key).or_insert((0, seed, v.what.clone()));
                            e.0 += 1;
                            if seed < e.1 {
                                e.1 = seed;
                                e.2 = v.what.clone();
                            }
                        }
                    }
                }
            });
        }
    });
    println!("{:?} in {:?}", tally.lock().unwrap(), start.elapsed());
    for (k, (n, s, w)) in found.lock().unwrap().iter() {
        println!("{n:5} x [{k}] first {s}: {}", &w.chars().take(400).collect::<String>());
    }
}
