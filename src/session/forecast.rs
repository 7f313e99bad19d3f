//! What the manager would do next, and why, without doing it.

use autochanger_engine::forecast::{Forecast, MAX_STEPS};
use autochanger_engine::request::Submission;

use super::Session;
use crate::error::{SessionClosed, SubmitError};

impl Session {
    /// What the manager would do next if all that is under way succeeded in its usual time and nobody asked for anything else: the next
    /// `steps` of all libraries with the reasons for each, and what would still wait after them, and for whom. A session of
    /// [`Role::Application`](crate::Role::Application) is told of its own application's requests.
    ///
    /// Every builder can be tried out in the same way: [`MountBuilder::dry_run`](crate::MountBuilder::dry_run).
    ///
    /// The manager makes a copy of all that it knows for this, between two decisions; what would be done is found out with the copy, in
    /// the caller's task. Of a library of some thousand cartridges that is a matter of milliseconds; it is for people who look, not for
    /// loops.
    ///
    /// ```
    /// # #[cfg(feature = "sim")]
    /// # async fn example(session: autochanger::Session) -> Result<(), autochanger::Error> {
    /// let forecast = session.forecast(20).await?;
    /// println!("{forecast}");
    /// for next in &forecast.steps {
    ///     println!("{:?}: {} because of {:?}", next.after, next.step, next.why);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionClosed`].
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    #[doc(alias = "dry run")]
    #[doc(alias = "plan")]
    pub async fn forecast(&self, steps: usize) -> Result<Forecast, SessionClosed> {
        let caller = self.caller()?;
        let engine = self.shared().look(Clone::clone).await?;
        let mut forecast = engine.forecast(steps, self.shared().clock.now());
        forecast.retain_visible_to(caller);
        Ok(forecast)
    }

    pub(super) async fn dry_run(&self, submission: Submission) -> Result<Forecast, SubmitError> {
        let caller = submission.caller.clone();
        let engine = self.shared().look(Clone::clone).await?;
        let mut forecast = engine.forecast_with(submission, MAX_STEPS, self.shared().clock.now())?;
        forecast.retain_visible_to(&caller);
        Ok(forecast)
    }
}
