//! What comes next: the order in which the driver serves those who want something of it.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};

use super::message::{Control, Report, Submit};

/// After so many messages of the control lane in a row the others get a turn, so that nobody who asks without pause
/// keeps a move's end from being heard.
const CONTROL_STREAK: u32 = 64;

/// What can come next.
pub(super) enum Next {
    Control(Control),
    Report(Report),
    Submit(Submit),
    /// Something may be due.
    Due,
    Stop,
}

pub(super) struct Inbox {
    pub(super) control: mpsc::Receiver<Control>,
    pub(super) submissions: mpsc::Receiver<Submit>,
    pub(super) reports: mpsc::UnboundedReceiver<Report>,
    pub(super) stop: Arc<Notify>,
    pub(super) streak: u32,
}

impl Inbox {
    /// Control first, then what the helpers report, then submissions, where they are taken.
    pub(super) async fn next(&mut self, due: impl Future<Output = ()>, takes_submissions: bool) -> Next {
        if self.streak >= CONTROL_STREAK {
            self.streak = 0;
            if let Ok(report) = self.reports.try_recv() {
                return Next::Report(report);
            }
            if takes_submissions && let Ok(submit) = self.submissions.try_recv() {
                return Next::Submit(submit);
            }
            return Next::Due;
        }
        let next = tokio::select! {
            biased;
            () = self.stop.notified() => Next::Stop,
            Some(control) = self.control.recv() => Next::Control(control),
            Some(report) = self.reports.recv() => Next::Report(report),
            () = due => Next::Due,
            Some(submit) = self.submissions.recv(), if takes_submissions => Next::Submit(submit),
        };
        self.streak = if matches!(next, Next::Control(_)) { self.streak.saturating_add(1) } else { 0 };
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::CONTROL_LANE;
    use autochanger_engine::command::Completion;
    use autochanger_engine::id::CommandId;

    #[tokio::test]
    async fn control_is_served_first_and_cannot_keep_the_others_from_their_turn() {
        let (control, control_lane) = mpsc::channel(CONTROL_LANE);
        let (_submit, submissions) = mpsc::channel(1);
        let (report, reports) = mpsc::unbounded_channel();
        let stop = Arc::new(Notify::new());
        let mut inbox =
            Inbox { control: control_lane, submissions, reports, stop: Arc::clone(&stop), streak: 0 };
        let _ = report.send(Report::Completed { command: CommandId(1), result: Ok(Completion::good()) });
        let mut before = 0;
        loop {
            let _ = control.try_send(Control::Look(Box::new(|_| {})));
            match inbox.next(std::future::pending(), true).await {
                Next::Control(_) => before += 1,
                Next::Report(_) => break,
                _ => panic!("nothing else was sent"),
            }
        }
        assert_eq!(before, CONTROL_STREAK);
        for _ in 0..CONTROL_STREAK {
            let _ = control.try_send(Control::Look(Box::new(|_| {})));
            let next = inbox.next(std::future::pending(), true).await;
            assert!(matches!(next, Next::Control(_)));
        }
        let next = inbox.next(std::future::pending(), true).await;
        assert!(matches!(next, Next::Due), "time is looked at, too");
        stop.notify_one();
        assert!(matches!(inbox.next(std::future::pending(), true).await, Next::Stop));
    }
}
