//! The arm at work: a cartridge to an empty slot and back, two that change places, and all put back whatever happens.

use tokio::sync::watch;

use super::*;

/// How often putting back is tried, with a look in between: a library that fails so often needs a hand.
const ATTEMPTS: usize = 6;

/// Whether Ctrl-C has come, from now on: neither between two motions nor while the library is taken is a place to end.
pub(super) fn watch_for_stop() -> watch::Receiver<bool> {
    let (sender, stop) = watch::channel(false);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            sender.send_replace(true);
            warn!("   (ending as soon as every cartridge is back and the library is given back)");
        }
        // Nobody can stop it now; who waits for that waits for ever.
        std::future::pending::<()>().await;
    });
    stop
}

/// Ends when Ctrl-C has come.
pub(super) async fn stopped(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending().await
    }
}

impl Certify {
    /// Moves cartridges and puts them back; whether every one is where it was.
    pub(super) async fn motion(
        &mut self,
        before: &Contents,
        exchange: bool,
        stop: &watch::Receiver<bool>,
    ) -> Result<bool> {
        self.title("Motion");
        let worked = self.work(before, exchange, stop).await;
        let mut returned = self.put_back(before).await;
        for _ in 1..ATTEMPTS {
            if !matches!(returned, Ok(false) | Err(_)) {
                break;
            }
            tokio::time::sleep(BUSY.1).await;
            returned = self.put_back(before).await;
        }
        if let Err(error) = &worked {
            self.fact(format!("the motions ended with: {}", without_names(&**error)));
        }
        match &returned {
            Ok(true) => self.fact("every cartridge is where it was"),
            Ok(false) => self.tell_displaced(before).await,
            Err(error) => {
                self.fact("where the cartridges are could not be read in the end");
                warn!("LOOK AT THE LIBRARY: {error}");
            }
        }
        worked?;
        returned
    }

    async fn work(&mut self, before: &Contents, exchange: bool, stop: &watch::Receiver<bool>) -> Result<()> {
        let (_, all) = self.contents().await?;
        let slots = all.get(&ElementType::Storage).map_or(&[][..], Vec::as_slice);
        // A cartridge without a label could not be found again.
        let mut labelled =
            slots.iter().copied().filter(|slot| matches!(before.get(slot), Some((_, Some(_)))));
        let (Some(one), Some(room)) =
            (labelled.next(), slots.iter().copied().find(|slot| !before.contains_key(slot)))
        else {
            return Err("--move needs a labelled cartridge in a slot, and an empty slot".into());
        };
        let two = labelled.next();
        say!("   the cartridge of slot {one}, over slot {room}");
        for (from, to, name) in [(one, room, "there"), (room, one, "back")] {
            let took = self.timed(move_medium(from, to), stop).await??;
            self.fact(format!("MOVE MEDIUM, slot to slot, {name}: {took:.1?}"));
        }
        let Some(two) = two.filter(|_| exchange) else {
            self.fact("EXCHANGE MEDIUM: not tried, for it is not offered or there is one cartridge");
            return Ok(());
        };
        let command = ExchangeMedium {
            transport: ElementAddress(0),
            source: ElementAddress(one),
            first_destination: ElementAddress(two),
            second_destination: ElementAddress(room),
            invert_first: false,
            invert_second: false,
        };
        match self.timed(command.cdb(), stop).await? {
            Ok(took) => {
                let (now, _) = self.contents().await?;
                let right = now.get(&two) == before.get(&one) && now.get(&room) == before.get(&two);
                let word = if right { "as it should" } else { "OTHERWISE than it should" };
                self.fact(format!("EXCHANGE MEDIUM, three slots: {took:.1?}, and it moved {word}"));
            }
            Err(why) => self.fact(format!("EXCHANGE MEDIUM: {why}")),
        }
        Ok(())
    }

    /// How long a motion took, or why it was refused. It is sent once.
    async fn timed(
        &self,
        cdb: Cdb,
        stop: &watch::Receiver<bool>,
    ) -> Result<std::result::Result<Duration, String>> {
        if *stop.borrow() {
            return Err(Trouble::Stopped.into());
        }
        let start = Instant::now();
        // A unit attention or BUSY says that the device has not looked at the command; all else ends it.
        let answer = answer(&*self.device, Command::new(cdb, MOTION)).await?;
        Ok(answer.map(|_| start.elapsed()))
    }

    /// Brings each labelled cartridge that is elsewhere to its place, looking before each motion; whether all are there.
    async fn put_back(&self, before: &Contents) -> Result<bool> {
        for _ in 0..ATTEMPTS {
            let (now, _) = self.contents().await?;
            if now == *before {
                return Ok(true);
            }
            let Some((at, home)) = displaced(before, &now) else { return Ok(false) };
            let put = answer(&*self.device, Command::new(move_medium(at, home), MOTION)).await?;
            put.map_err(|why| format!("the way back from {at} to {home}: {why}"))?;
        }
        Ok(self.contents().await?.0 == *before)
    }

    /// What a person has to put back.
    async fn tell_displaced(&mut self, before: &Contents) {
        self.fact("NOT every cartridge is where it was");
        let now = self.contents().await.map(|(now, _)| now).unwrap_or_default();
        for (home, (_, tag)) in before {
            if now.get(home).is_none_or(|(_, own)| own != tag) {
                warn!("LOOK AT THE LIBRARY: {} belongs in element {home}", tag.as_deref().unwrap_or("?"));
            }
        }
    }
}

/// A labelled cartridge that is elsewhere while its place is empty, and that place.
fn displaced(before: &Contents, now: &Contents) -> Option<(u16, u16)> {
    now.iter().find_map(|(at, (_, tag))| {
        let home = before.iter().find(|(_, (_, own))| tag.is_some() && own == tag)?.0;
        (home != at && !now.contains_key(home)).then_some((*at, *home))
    })
}

fn move_medium(from: u16, to: u16) -> Cdb {
    let (source, destination) = (ElementAddress(from), ElementAddress(to));
    MoveMedium { transport: ElementAddress(0), source, destination, invert: false }.cdb()
}
