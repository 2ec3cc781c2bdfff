//! The handle by which a test or the binary holds a running simulator, and the controls behind it.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::{
    clock::pause,
    entries::{BusinessEntry, LedgerEntry, PartnerEntry, PersonEntry, Unknown},
    faults::{Chance, Fault},
    operation::Operation,
    options::{Options, Quirk, Webhook},
    record::RecordedCall,
    server::{Server, serve},
    shared::Shared,
    situation::Situation,
    tokens::{Ending, Holder, LONG_LIFE},
    webhooks::deliver,
};

/// How often what is due is looked for when nobody calls.
const LOOK: Duration = Duration::from_millis(50);

/// A running simulator. It stops when dropped.
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Binds and serves on tasks of the current Tokio runtime.
    ///
    /// # Errors
    /// When the address can't be bound.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let (shared, letters) = Shared::new(options);
        let shared = Arc::new(shared);
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, Server { shared: shared.clone(), stopped }));
        let mut tasks = vec![tokio::spawn(deliver(shared.clone(), letters))];
        if shared.options.accept_after.is_some() {
            let shared = shared.clone();
            tasks.push(tokio::spawn(async move {
                loop {
                    pause(LOOK).await;
                    shared.catch_up();
                }
            }));
        }
        Ok(Self { shared, address, stop, tasks, serving: Some(serving) })
    }

    /// Stops answering; when this returns, the port is free.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(serving) = self.serving.take()
            && let Err(error) = serving.await
        {
            tracing::error!(%error, "the simulator's task failed");
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:{port}`, for `GRAPH_URL` and `META_DIALOG_URL` alike.
    #[must_use]
    pub fn url(&self) -> String {
        self.shared.options.public_url.clone().unwrap_or_else(|| format!("http://{}", self.address))
    }

    /// The app's id.
    #[must_use]
    pub fn app_id(&self) -> &str {
        &self.shared.options.app_id
    }

    /// The app's secret.
    #[must_use]
    pub fn app_secret(&self) -> &str {
        &self.shared.options.app_secret
    }

    /// Both partners, Northlane Messaging first.
    #[must_use]
    pub fn partners(&self) -> Vec<PartnerEntry> {
        self.shared.partners()
    }

    /// Everyone on the consent page, in its order.
    #[must_use]
    pub fn people(&self) -> Vec<PersonEntry> {
        self.shared.people()
    }

    /// The end businesses of a partner, in the order they were made.
    ///
    /// # Errors
    /// When there is no such partner. So with all controls below: an id that isn't there is an error.
    pub fn businesses_of(&self, partner: &str) -> Result<Vec<BusinessEntry>, Unknown> {
        self.shared.businesses_of(partner)
    }

    /// The id of a partner's first business that stands so.
    ///
    /// # Errors
    /// When none does.
    pub fn business_where(&self, partner: &str, situation: Situation) -> Result<String, Unknown> {
        self.shared.business_where(partner, situation)
    }

    /// The agreements that calls have asked for, one entry each, oldest first.
    #[must_use]
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.shared.ledger()
    }

    /// The last 10,000 calls, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.shared.record().last(usize::MAX)
    }

    /// How many calls of an operation came since the start.
    #[must_use]
    pub fn count(&self, operation: Operation) -> u64 {
        self.shared.record().count(operation)
    }

    /// The next `times` calls of `operation` fail so.
    pub fn plan(&self, operation: Operation, fault: Fault, times: u32) {
        self.shared.faults().plan(operation, fault, times);
    }

    /// Calls fail so with this probability from now on; 0 ends it.
    pub fn set_chance(&self, chance: Chance) {
        self.shared.faults().set_chance(chance);
    }

    /// No fault is left, planned or by chance.
    pub fn clear_faults(&self) {
        self.shared.faults().clear();
    }

    /// Turns a quirk on or off.
    pub fn set_quirk(&self, quirk: Quirk, on: bool) {
        self.shared.set_quirk(quirk, on);
    }

    /// An admin of the business accepts the terms now, asked or not.
    ///
    /// # Errors
    /// When there is no such business.
    pub fn accept(&self, business: &str) -> Result<(), Unknown> {
        self.shared.accept_business(business)
    }

    /// Everyone who was asked accepts; answers how many did.
    pub fn accept_all(&self) -> usize {
        self.shared.accept_all()
    }

    /// All living tokens of a person answer 190/467 from now on.
    ///
    /// # Errors
    /// When there is no such person.
    pub fn revoke_tokens_of(&self, person: &str) -> Result<(), Unknown> {
        self.shared.end_tokens_of(person, Ending::LoggedOut)
    }

    /// All living tokens of a person answer 190/463 from now on.
    ///
    /// # Errors
    /// When there is no such person.
    pub fn expire_tokens_of(&self, person: &str) -> Result<(), Unknown> {
        self.shared.end_tokens_of(person, Ending::Expired)
    }

    /// All living tokens of a person end in this way.
    ///
    /// # Errors
    /// When there is no such person.
    pub fn end_tokens_of(&self, person: &str, ending: Ending) -> Result<(), Unknown> {
        self.shared.end_tokens_of(person, ending)
    }

    /// A permission is taken from all tokens of a person: code 10.
    ///
    /// # Errors
    /// When there is no such person.
    pub fn remove_permission(&self, person: &str, scope: &str) -> Result<(), Unknown> {
        let person = self.shared.person(person)?;
        self.shared.tokens().remove_scope(person, scope);
        Ok(())
    }

    /// A person joins another partner's portfolio too.
    ///
    /// # Errors
    /// When there is no such person or partner.
    pub fn add_person_to(&self, person: &str, partner: &str) -> Result<(), Unknown> {
        let (person, partner) = (self.shared.person(person)?, self.shared.partner(partner)?);
        let mut world = self.shared.world_mut();
        let partners = &mut world.people[person].partners;
        if !partners.contains(&partner) {
            partners.push(partner);
            partners.sort_unstable();
        }
        Ok(())
    }

    /// A person leaves a partner's portfolio.
    ///
    /// # Errors
    /// When there is no such person or partner.
    pub fn remove_person_from(&self, person: &str, partner: &str) -> Result<(), Unknown> {
        let (person, partner) = (self.shared.person(person)?, self.shared.partner(partner)?);
        self.shared.world_mut().people[person].partners.retain(|other| *other != partner);
        Ok(())
    }

    /// A business takes its WABAs away from a partner.
    ///
    /// # Errors
    /// When there is no such business or partner.
    pub fn leave_partner(&self, business: &str, partner: &str) -> Result<(), Unknown> {
        self.shared.leave_partner(business, partner)
    }

    /// A business shares its own WABAs with a partner.
    ///
    /// # Errors
    /// When there is no such business or partner.
    pub fn join_partner(&self, business: &str, partner: &str) -> Result<(), Unknown> {
        self.shared.join_partner(business, partner)
    }

    /// Sets a WABA's onboarding status to any text.
    ///
    /// # Errors
    /// When there is no such WABA.
    pub fn set_eligibility(&self, waba: &str, value: &str) -> Result<(), Unknown> {
        self.shared.set_eligibility(waba, value)
    }

    /// Sets a solution's status to any text.
    ///
    /// # Errors
    /// When there is no such solution.
    pub fn set_solution_status(&self, solution: &str, status: &str) -> Result<(), Unknown> {
        self.shared.set_solution_status(solution, status)
    }

    /// Gives a business another name.
    ///
    /// # Errors
    /// When there is no such business.
    pub fn rename(&self, business: &str, name: &str) -> Result<(), Unknown> {
        self.shared.rename(business, name)
    }

    /// A long-lived user token with every permission, without the consent page.
    ///
    /// # Errors
    /// When there is no such person.
    pub fn token_for(&self, person: &str) -> Result<String, Unknown> {
        self.shared.token_for(person)
    }

    /// A user token with these permissions only.
    ///
    /// # Errors
    /// When there is no such person.
    pub fn token_with(&self, person: &str, scopes: &[&str]) -> Result<String, Unknown> {
        Ok(self.shared.give_token(Holder::Person(self.shared.person(person)?), scopes, Some(LONG_LIFE)))
    }

    /// A system user token of a partner, which never expires.
    ///
    /// # Errors
    /// When there is no such partner.
    pub fn system_token_for(&self, partner: &str) -> Result<String, Unknown> {
        self.shared.system_token_for(partner)
    }

    /// A system user token with these permissions only, which ends after so many seconds.
    ///
    /// # Errors
    /// When there is no such partner.
    pub fn system_token_with(&self, partner: &str, scopes: &[&str], seconds: Option<u64>) -> Result<String, Unknown> {
        Ok(self.shared.give_token(Holder::System(self.shared.partner(partner)?), scopes, seconds))
    }

    /// All living system user tokens of a partner end in this way.
    ///
    /// # Errors
    /// When there is no such partner.
    pub fn end_system_tokens_of(&self, partner: &str, ending: Ending) -> Result<(), Unknown> {
        self.shared.end_system_tokens_of(partner, ending)
    }

    /// Moves the simulator's clock and lets happen what is due by then.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by);
        self.shared.catch_up();
    }

    /// Sends webhooks there from now on.
    pub fn send_webhooks_to(&self, webhook: Webhook) {
        self.shared.send_webhooks_to(webhook);
    }

    /// Waits until every webhook so far was taken by its receiver (or given up).
    pub async fn webhooks_settled(&self) {
        self.shared.mailbox.settled().await;
    }

    /// Webhooks that were taken.
    #[must_use]
    pub fn webhooks_delivered(&self) -> u64 {
        self.shared.mailbox.delivered()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        for task in &self.tasks {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{options::NORTHLANE, seed::PEOPLE_IDS, testing::http},
        *,
    };

    async fn started() -> (Simulator, String) {
        let meta = Simulator::start(Options { businesses: 60, ..Options::default() }).await.unwrap();
        let token = format!("Bearer {}", meta.token_for(PEOPLE_IDS[0]).unwrap());
        (meta, token)
    }

    fn onboarding(meta: &Simulator) -> String {
        let business = meta.business_where(NORTHLANE, Situation::Onboardable).unwrap();
        format!("{}/v25.0/{business}/onboard_partners_to_mm_lite", meta.url())
    }

    #[tokio::test]
    async fn an_answer_lost_on_the_wire_leaves_an_agreement_behind() {
        for fault in [Fault::ResetAfter, Fault::CutBody] {
            let (meta, token) = started().await;
            let url = onboarding(&meta);
            meta.plan(Operation::Onboard, fault, 1);
            assert!(http("POST", &url, &[("authorization", &token)], "").await.is_err(), "{fault}");
            assert_eq!(meta.ledger().len(), 1, "{fault}");
            let (status, _, body) = http("POST", &url, &[("authorization", &token)], "").await.unwrap();
            assert!(status == 200 && body.contains(&meta.ledger()[0].request_id));
        }
    }

    #[tokio::test]
    async fn a_reset_before_leaves_nothing_behind() {
        let (meta, token) = started().await;
        meta.plan(Operation::Onboard, Fault::ResetBefore, 1);
        assert!(http("POST", &onboarding(&meta), &[("authorization", &token)], "").await.is_err());
        assert!(meta.ledger().is_empty());
    }

    #[tokio::test]
    async fn a_call_that_hangs_ends_with_the_simulator() {
        let (meta, token) = started().await;
        meta.plan(Operation::Onboard, Fault::HangAfter, 1);
        let url = onboarding(&meta);
        let call = tokio::spawn(async move { http("POST", &url, &[("authorization", &token)], "").await });
        while meta.ledger().is_empty() {
            tokio::task::yield_now().await;
        }
        let address = meta.address();
        meta.stop().await;
        assert!(call.await.unwrap().is_err());
        let again = Simulator::start(Options { listen: address, businesses: 10, ..Options::default() }).await;
        assert!(again.is_ok(), "the port is free");
    }

    #[tokio::test]
    async fn signing_in_works_over_http_with_a_plain_form() {
        let (meta, _) = started().await;
        let dialog = format!(
            "{}/v25.0/dialog/oauth?client_id={}&redirect_uri=http://127.0.0.1/cb&state=x",
            meta.url(),
            meta.app_id()
        );
        let (status, headers, page) = http("GET", &dialog, &[], "").await.unwrap();
        assert_eq!(status, 200);
        assert!(headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
        assert!(page.contains("Continue as Ana Moreira, admin at Northlane Messaging") && !page.contains("<script"));
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let (status, headers, _) = http("POST", &dialog, &form, &format!("person={}", PEOPLE_IDS[0])).await.unwrap();
        assert_eq!(status, 302);
        assert!(headers["location"].to_str().unwrap().starts_with("http://127.0.0.1/cb?code=AQ"));
    }

    #[tokio::test]
    async fn a_json_body_that_cannot_be_read_is_a_graph_error() {
        let (meta, token) = started().await;
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        let (status, _, body) = http("POST", &onboarding(&meta), &headers, "{cut").await.unwrap();
        assert!(status == 400 && body.contains("\"code\":100"), "{body}");
    }
}
