mod faults;

use std::sync::atomic::Ordering;

use gallery_domain::memory::faulty::{Fault, Plan};
use gallery_domain::memory::{ManualClock, MemoryMailer, MemoryStore};
use gallery_domain::ports::Repositories;
use gallery_domain::{ClientLabel, PasswordHash, Sha256Digest, Timestamp};

use super::*;
use crate::system::SystemIds;

const GOOD: &str = "seven quiet walruses";
const OTHER: &str = "nine loud flamingos";

/// The identity over ports that do what a plan says, and the same ports as they are.
struct Fixture {
    identity: PasswordIdentity,
    plan: Arc<Plan>,
    repositories: Repositories,
    clock: Arc<ManualClock>,
    mailer: Arc<MemoryMailer>,
}

fn fixture() -> Fixture {
    let plan = Arc::new(Plan::default());
    let repositories = MemoryStore::new().repositories();
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_717_200_000_000)));
    let mailer = Arc::new(MemoryMailer::new());
    let outbox: Arc<dyn Mailer> = mailer.clone();
    let ports = IdentityPorts {
        credentials: plan.faulty(&repositories.credentials),
        sessions: plan.faulty(&repositories.sessions),
        rate_limiter: plan.faulty(&repositories.rate_limiter),
        mailer: plan.faulty(&outbox),
        clock: clock.clone(),
        ids: Arc::new(SystemIds::default()),
    };
    Fixture { identity: identity(ports), plan, repositories, clock, mailer }
}

fn identity(ports: IdentityPorts) -> PasswordIdentity {
    PasswordIdentity::new(ports, "https://photos.example".parse().unwrap())
}

impl Fixture {
    async fn registered(email: &str) -> Self {
        let fixture = fixture();
        fixture.identity.register_confirmed(ada(), &address(email), &password(GOOD)).await.unwrap();
        fixture
    }

    async fn log_in(&self, text: &str) -> Result<LogIn, IdentityError> {
        self.log_in_from(HOME, text).await
    }

    async fn log_in_from(&self, origin: &str, text: &str) -> Result<LogIn, IdentityError> {
        self.identity.log_in(Some(ada()), &address("ada@example.org"), &password(text), &client(origin)).await
    }

    async fn log_in_as_nobody(&self, text: &str) -> Result<LogIn, IdentityError> {
        self.identity.log_in(None, &address("nobody@example.org"), &password(text), &client(HOME)).await
    }

    async fn confirm(&self, code: &str) -> Result<UserId, IdentityError> {
        self.identity.confirm(&address("ada@example.org"), code).await
    }

    async fn reset(&self, token: &str, text: &str) -> Result<UserId, IdentityError> {
        self.identity.reset_password(&address("ada@example.org"), token, &password(text), &client(HOME)).await
    }

    async fn change(&self, old: &str, new: &str, keep: Option<SessionId>) -> Result<(), IdentityError> {
        self.identity.change_password(ada(), &address("ada@example.org"), &password(old), &password(new), keep).await
    }

    /// The credential as the store holds it.
    async fn credential(&self) -> Option<Credential> {
        self.repositories.credentials.find(ada()).await.unwrap()
    }

    /// The calls that some work makes.
    async fn calls<T>(&self, work: impl Future<Output = T>) -> Vec<&'static str> {
        let before = self.plan.calls().len();
        work.await;
        self.plan.calls().split_off(before)
    }

    /// Has something happen right before a call of some work that is yet to begin, whose calls are known.
    fn visit(&self, calls: &[&str], method: &str, visit: impl Future<Output = ()> + Send + 'static) {
        let place = calls.iter().rposition(|call| *call == method).unwrap();
        self.plan.visit(self.plan.calls().len() + place, Box::pin(visit));
    }

    /// How many hashes some work costs.
    async fn hashes<T>(&self, work: impl Future<Output = T>) -> u64 {
        let before = self.identity.hasher.hashes.load(Ordering::Relaxed);
        work.await;
        self.identity.hasher.hashes.load(Ordering::Relaxed) - before
    }

    fn later(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    async fn mails(&self) -> usize {
        self.identity.settle().await;
        self.mailer.sent().len()
    }

    /// The line of the last mail that holds what was asked for.
    async fn mailed(&self, wanted: impl Fn(&str) -> bool) -> String {
        self.identity.settle().await;
        let mails = self.mailer.sent();
        let mail = mails.last().unwrap();
        assert_eq!(mail.to, address("ada@example.org"));
        mail.text.lines().find(|line| wanted(line)).unwrap().to_owned()
    }

    async fn mailed_code(&self) -> String {
        self.mailed(|line| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit())).await
    }

    async fn mailed_token(&self) -> String {
        let link = self.mailed(|line| line.starts_with("https://")).await;
        let query = link.strip_prefix("https://photos.example/#/reset?").unwrap();
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(pairs[0], ("email".to_owned(), "ada@example.org".to_owned()));
        pairs[1].1.clone()
    }
}

/// Where the owner is.
const HOME: &str = "192.0.2.0/24";

fn client(origin: &str) -> Client {
    Client { origin: Some(origin.to_owned()), label: ClientLabel::new("Firefox") }
}

fn ada() -> UserId {
    UserId::from_uuid(Uuid::from_u128(7))
}

fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

fn password(text: &str) -> Password {
    Password::parse(text).unwrap()
}

fn other_code(code: &str) -> String {
    format!("{:08}", (code.parse::<u32>().unwrap() + 1) % 100_000_000)
}

fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

fn days(n: u64) -> Duration {
    minutes(n * 24 * 60)
}

macro_rules! assert_ends_in {
    ($result:expr, $pattern:pat) => {
        match $result {
            Err($pattern) => {}
            other => panic!("{other:?}"),
        }
    };
}

#[tokio::test(start_paused = true)]
async fn a_code_confirms_once() {
    let fixture = fixture();
    fixture.identity.register(ada(), &address("ada@example.org"), &password(GOOD)).await.unwrap();
    let code = fixture.mailed_code().await;
    assert_ends_in!(fixture.confirm(&other_code(&code)).await, IdentityError::WrongCode);
    let spaced = format!(" {}-{} ", &code[..4], &code[4..]);
    assert_eq!(fixture.confirm(&spaced).await.unwrap(), ada());
    assert_ends_in!(fixture.confirm(&code).await, IdentityError::WrongCode);
    fixture.log_in(GOOD).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_code_ends_after_ten_minutes_or_five_wrong_tries_or_with_the_next_one() {
    let fixture = fixture();
    let email = address("ada@example.org");
    fixture.identity.register(ada(), &email, &password(GOOD)).await.unwrap();
    let first = fixture.mailed_code().await;
    fixture.later(minutes(10));
    assert_ends_in!(fixture.confirm(&first).await, IdentityError::WrongCode);

    fixture.identity.resend_code(Some(ada()), &email).await.unwrap();
    let second = fixture.mailed_code().await;
    for _ in 0..5 {
        assert_ends_in!(fixture.confirm(&other_code(&second)).await, IdentityError::WrongCode);
    }
    assert_ends_in!(fixture.confirm(&second).await, IdentityError::WrongCode);

    fixture.later(minutes(1));
    fixture.identity.resend_code(Some(ada()), &email).await.unwrap();
    let third = fixture.mailed_code().await;
    fixture.later(minutes(1));
    fixture.identity.resend_code(Some(ada()), &email).await.unwrap();
    let fourth = fixture.mailed_code().await;
    assert_ends_in!(fixture.confirm(&third).await, IdentityError::WrongCode);
    assert_eq!(fixture.confirm(&fourth).await.unwrap(), ada());
}

#[tokio::test(start_paused = true)]
async fn a_password_counts_once_the_code_is_confirmed() {
    let fixture = fixture();
    fixture.identity.register(ada(), &address("ada@example.org"), &password(GOOD)).await.unwrap();
    let code = fixture.mailed_code().await;
    assert_ends_in!(fixture.log_in(GOOD).await, IdentityError::WrongCredentials);
    assert_eq!(fixture.credential().await, None);
    fixture.confirm(&code).await.unwrap();
    fixture.log_in(GOOD).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn signing_up_again_with_the_same_password_replaces_the_code() {
    let fixture = fixture();
    let email = address("ada@example.org");
    fixture.identity.register(ada(), &email, &password(GOOD)).await.unwrap();
    let first = fixture.mailed_code().await;
    fixture.identity.register(ada(), &email, &password(GOOD)).await.unwrap();
    let second = fixture.mailed_code().await;
    assert_ends_in!(fixture.confirm(&first).await, IdentityError::WrongCode);
    fixture.confirm(&second).await.unwrap();
    fixture.log_in(GOOD).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn whoever_confirms_is_never_given_the_password_of_somebody_else_who_signed_up() {
    const FORGOTTEN: &str = "eleven calm penguins";
    let email = address("ada@example.org");
    for (order, later) in [([GOOD, OTHER], minutes(0)), ([OTHER, GOOD], minutes(0)), ([GOOD, OTHER], days(1))] {
        for ends in ["the last mail", "another mail", "signing up once more"] {
            let fixture = fixture();
            for text in order {
                fixture.identity.register(ada(), &email, &password(text)).await.unwrap();
                fixture.later(later);
            }
            match ends {
                "another mail" => fixture.identity.resend_code(Some(ada()), &email).await.unwrap(),
                "signing up once more" => {
                    fixture.identity.register(ada(), &email, &password(GOOD)).await.unwrap();
                }
                // The last code may be too old by now.
                _ if later.is_zero() => {}
                _ => continue,
            }
            let code = fixture.mailed_code().await;
            fixture.mailed(|line| line.contains("choose \"Forgot password\"")).await;
            assert_eq!(fixture.confirm(&code).await.unwrap(), ada());
            for text in order {
                assert_ends_in!(fixture.log_in(text).await, IdentityError::WrongCredentials);
            }
            fixture.identity.forgot_password(Some(ada()), &email).await.unwrap();
            fixture.reset(&fixture.mailed_token().await, FORGOTTEN).await.unwrap();
            fixture.log_in(FORGOTTEN).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_who_sign_up_at_once_neither_chooses_the_password_of_the_other() {
    let fixture = fixture();
    let (email, bob) = (address("ada@example.org"), UserId::from_uuid(Uuid::from_u128(8)));
    let calls = fixture.calls(fixture.identity.register(bob, &address("bob@example.org"), &password(GOOD))).await;
    let theirs = OneTimeCode {
        purpose: CodePurpose::ConfirmEmail,
        address: email.clone(),
        user: ada(),
        hash: Sha256Digest::of(b"theirs"),
        expires_at: fixture.clock.now().plus(minutes(10)),
        tries_left: 5,
        password: Some(fixture.identity.hasher.hash(&password(OTHER)).await.unwrap()),
    };
    let credentials = fixture.repositories.credentials.clone();
    fixture.visit(&calls, "replace_code", async move { credentials.put_code(&theirs).await.unwrap() });
    fixture.identity.register(ada(), &email, &password(GOOD)).await.unwrap();
    fixture.confirm(&fixture.mailed_code().await).await.unwrap();
    assert_eq!(fixture.credential().await, None);
}

#[tokio::test(start_paused = true)]
async fn what_an_erased_account_waited_for_is_of_no_consequence_for_the_next_one() {
    let fixture = fixture();
    let email = address("ada@example.org");
    let before = UserId::from_uuid(Uuid::from_u128(8));
    fixture.identity.register(before, &email, &password(OTHER)).await.unwrap();
    fixture.identity.register(ada(), &email, &password(GOOD)).await.unwrap();
    fixture.confirm(&fixture.mailed_code().await).await.unwrap();
    fixture.log_in(GOOD).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_account_made_at_the_console_keeps_its_password_whoever_signed_up_before() {
    let fixture = fixture();
    let email = address("ada@example.org");
    fixture.identity.register(ada(), &email, &password(OTHER)).await.unwrap();
    let code = fixture.mailed_code().await;
    fixture.identity.register_confirmed(ada(), &email, &password(GOOD)).await.unwrap();
    assert_ends_in!(fixture.confirm(&code).await, IdentityError::WrongCode);
    fixture.log_in(GOOD).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_code_is_kept_hashed_and_is_no_good_for_another_address_or_purpose() {
    let fixture = fixture();
    fixture.identity.register(ada(), &address("ada@example.org"), &password(GOOD)).await.unwrap();
    let code = fixture.mailed_code().await;
    let kept = fixture.repositories.credentials.find_code(CodePurpose::ConfirmEmail, &address("ada@example.org")).await;
    assert_ne!(kept.unwrap().unwrap().hash, Sha256Digest::of(code.as_bytes()));
    assert_ends_in!(fixture.identity.confirm(&address("eve@example.org"), &code).await, IdentityError::WrongCode);
    assert_ends_in!(fixture.reset(&code, OTHER).await, IdentityError::WrongCode);
    fixture.confirm(&code).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_bad_password_is_refused_alike_with_and_without_an_account() {
    let fixture = fixture();
    let email = address("ada@example.org");
    for bad in ["too short", "passwordpassword", "ada@example.org!"] {
        let new = fixture.identity.register(ada(), &email, &password(bad)).await.unwrap_err();
        let again = fixture.identity.register_again(&email, &password(bad)).await.unwrap_err();
        assert!(matches!(new, IdentityError::UnacceptablePassword(_)), "{new:?}");
        assert_eq!(new.to_string(), again.to_string());
    }
    assert_eq!(fixture.mails().await, 0);
    assert_eq!(fixture.credential().await, None);
}

#[tokio::test(start_paused = true)]
async fn the_same_hashes_are_computed_whether_or_not_there_is_an_account() {
    let fixture = Fixture::registered("ada@example.org").await;
    let (email, good) = (address("ada@example.org"), password(GOOD));
    assert_eq!(fixture.hashes(fixture.log_in(OTHER)).await, 1);
    assert_eq!(fixture.hashes(fixture.log_in_as_nobody(OTHER)).await, 1);
    for _ in 0..2 {
        assert_eq!(fixture.hashes(fixture.identity.register(ada(), &email, &good)).await, 2);
        assert_eq!(fixture.hashes(fixture.identity.register_again(&email, &good)).await, 2);
    }
    assert_eq!(fixture.hashes(fixture.identity.forgot_password(Some(ada()), &email)).await, 0);
    assert_eq!(fixture.hashes(fixture.identity.forgot_password(None, &address("x@example.org"))).await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_only_an_account_gets_happens_behind_an_answer_of_equal_time() {
    let fixture = Fixture::registered("ada@example.org").await;
    let (known, unknown) = (address("ada@example.org"), address("nobody@example.org"));
    // The clock of these tests stands still but for waiting, so these are not measurements.
    let identity = &fixture.identity;
    for work in [
        identity.forgot_password(Some(ada()), &known),
        identity.forgot_password(None, &unknown),
        identity.resend_code(Some(ada()), &known),
        identity.resend_code(None, &unknown),
    ] {
        assert_eq!(time(work).await, PasswordIdentity::ANSWER_AFTER);
    }
    assert_eq!(fixture.mails().await, 2, "both to the account that there is");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_code_or_link_takes_as_long_whether_or_not_one_was_mailed() {
    let fixture = Fixture::registered("ada@example.org").await;
    let (known, unknown) = (address("ada@example.org"), address("nobody@example.org"));
    fixture.identity.register(ada(), &known, &password(GOOD)).await.unwrap();
    fixture.identity.forgot_password(Some(ada()), &known).await.unwrap();
    fixture.identity.settle().await;
    let (identity, client, wrong, good) = (&fixture.identity, client(HOME), "0".repeat(43), password(GOOD));
    let mut calls = Vec::new();
    for email in [&known, &unknown] {
        calls.push(
            fixture
                .calls(async {
                    assert_eq!(time(identity.confirm(email, "00000000")).await, PasswordIdentity::ANSWER_AFTER);
                    assert_eq!(
                        time(identity.reset_password(email, &wrong, &good, &client)).await,
                        PasswordIdentity::ANSWER_AFTER
                    );
                })
                .await,
        );
        assert_eq!(fixture.hashes(identity.reset_password(email, &wrong, &good, &client)).await, 0);
    }
    assert_eq!(calls[0], ["try_code", "find_code"]);
    assert_eq!(calls[0], calls[1]);
}

/// How long some work lets its caller wait.
async fn time<T>(work: impl Future<Output = T>) -> Duration {
    let start = tokio::time::Instant::now();
    work.await;
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_and_an_unknown_address_end_alike() {
    let fixture = Fixture::registered("ada@example.org").await;
    assert_ends_in!(fixture.log_in(OTHER).await, IdentityError::WrongCredentials);
    assert_ends_in!(fixture.log_in_as_nobody(OTHER).await, IdentityError::WrongCredentials);
}

#[tokio::test(start_paused = true)]
async fn a_password_is_the_same_however_its_letters_are_composed() {
    let fixture = fixture();
    let composed = "caf\u{e9} und sieben Walrosse";
    fixture.identity.register_confirmed(ada(), &address("ada@example.org"), &password(composed)).await.unwrap();
    fixture.log_in("cafe\u{301} und sieben Walrosse").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn guessing_from_one_origin_gets_slower_and_never_locks_for_good_with_or_without_an_account() {
    let fixture = Fixture::registered("ada@example.org").await;
    for known in [true, false] {
        let guess = async || if known { fixture.log_in(OTHER).await } else { fixture.log_in_as_nobody(OTHER).await };
        let mut delays = Vec::new();
        for _ in 0..17 {
            match guess().await {
                Err(IdentityError::Throttled { retry_after }) => {
                    delays.push(retry_after.as_secs());
                    fixture.later(retry_after);
                }
                other => assert_ends_in!(other, IdentityError::WrongCredentials),
            }
        }
        assert_eq!(delays, [1, 2, 4, 8, 16, 32], "known: {known}");
        for _ in 0..20 {
            fixture.later(minutes(15));
            assert_ends_in!(guess().await, IdentityError::WrongCredentials);
        }
        assert_ends_in!(guess().await, IdentityError::Throttled { .. });
    }
    fixture.later(minutes(15));
    fixture.log_in(GOOD).await.unwrap();
    assert_ends_in!(fixture.log_in(OTHER).await, IdentityError::WrongCredentials);
    fixture.log_in(GOOD).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stranger_who_guesses_keeps_nobody_out_who_is_elsewhere() {
    let fixture = Fixture::registered("ada@example.org").await;
    let email = address("ada@example.org");
    for quarter in 0..12 {
        for _ in 0..7 {
            let guess = fixture.log_in_from("203.0.113.0/24", OTHER).await;
            assert_ends_in!(guess, IdentityError::WrongCredentials | IdentityError::Throttled { .. });
        }
        for _ in 0..12 {
            let guess =
                fixture.identity.reset_password(&email, "guess", &password(OTHER), &client("203.0.113.0/24")).await;
            assert_ends_in!(guess, IdentityError::WrongCode);
        }
        fixture.log_in(GOOD).await.unwrap();
        // More links an hour are not mailed.
        if quarter % 4 == 0 {
            fixture.identity.forgot_password(Some(ada()), &email).await.unwrap();
            fixture.reset(&fixture.mailed_token().await, GOOD).await.unwrap();
        }
        fixture.later(minutes(15));
    }
}

#[tokio::test(start_paused = true)]
async fn guessing_from_everywhere_leaves_each_origin_a_guess_a_minute() {
    let fixture = Fixture::registered("ada@example.org").await;
    let email = address("ada@example.org");
    for round in 0..3 {
        let mut counted = 0;
        for _ in 0..3 {
            for n in 0..60 {
                match fixture.identity.ports.count_guess(&email, &client(&format!("198.51.{n}.0/24"))).await {
                    Ok(()) => counted += 1,
                    Err(error) => assert!(matches!(error, IdentityError::Throttled { .. }), "{error:?}"),
                }
            }
        }
        // 100 to begin with and 60 more; then 2 that a minute allows anywhere, and one from each origin but one that had its turn by them.
        assert!(if round == 0 { counted == 160 } else { (60..=62).contains(&counted) }, "{counted} in round {round}");
        fixture.log_in(GOOD).await.unwrap();
        fixture.log_in(GOOD).await.unwrap();
        fixture.later(minutes(1));
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_set_a_new_password_is_not_kept_waiting_for_guessing_at_the_old_one() {
    let fixture = Fixture::registered("ada@example.org").await;
    let email = address("ada@example.org");
    for _ in 0..6 {
        fixture.log_in(OTHER).await.unwrap_err();
        fixture.identity.verify_password(ada(), &email, &password(OTHER)).await.unwrap_err();
    }
    assert_ends_in!(fixture.log_in(GOOD).await, IdentityError::Throttled { .. });
    fixture.identity.forgot_password(Some(ada()), &email).await.unwrap();
    fixture.reset(&fixture.mailed_token().await, OTHER).await.unwrap();
    fixture.log_in(OTHER).await.unwrap();
    fixture.identity.verify_password(ada(), &email, &password(OTHER)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn strangers_who_guess_do_not_delay_somebody_who_is_logged_in() {
    let fixture = Fixture::registered("ada@example.org").await;
    for _ in 0..5 {
        assert_ends_in!(fixture.log_in(OTHER).await, IdentityError::WrongCredentials);
    }
    let email = address("ada@example.org");
    fixture.identity.verify_password(ada(), &email, &password(GOOD)).await.unwrap();
    for _ in 0..5 {
        let wrong = fixture.identity.verify_password(ada(), &email, &password(OTHER)).await;
        assert_ends_in!(wrong, IdentityError::WrongCredentials);
    }
    let wrong = fixture.identity.verify_password(ada(), &email, &password(GOOD)).await;
    assert_ends_in!(wrong, IdentityError::Throttled { .. });
}

#[tokio::test(start_paused = true)]
async fn an_outdated_hash_is_replaced_at_log_in() {
    let fixture = Fixture::registered("ada@example.org").await;
    let weak = argon2::Argon2::new(
        argon2::Algorithm::Argon2id,
        argon2::Version::V0x13,
        argon2::Params::new(8, 1, 1, None).unwrap(),
    );
    let hash: argon2::password_hash::phc::PasswordHash =
        argon2::password_hash::PasswordHasher::hash_password(&weak, GOOD.as_bytes()).unwrap();
    let before = fixture.credential().await.unwrap();
    let outdated = Credential { password: PasswordHash::from_phc(hash.to_string()), ..before.clone() };
    fixture.repositories.credentials.put(&outdated).await.unwrap();
    fixture.log_in(GOOD).await.unwrap();
    let after = fixture.credential().await.unwrap();
    assert!(after.password.as_phc().contains("m=19456,t=2,p=1"));
    assert_eq!(after.changed_at, before.changed_at, "it is the same password");
    assert_eq!(fixture.hashes(fixture.log_in(GOOD)).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_opens_by_its_token_until_it_is_idle_for_a_week() {
    let fixture = Fixture::registered("ada@example.org").await;
    let first = fixture.log_in(GOOD).await.unwrap();
    let second = fixture.log_in(GOOD).await.unwrap();
    assert_ne!(first.token.expose(), second.token.expose());
    assert_eq!(first.session.client.as_str(), "Firefox");
    let opened = fixture.identity.authenticate(&first.token).await.unwrap();
    assert_eq!(opened, Some(first.session.clone()));
    assert_eq!(fixture.identity.authenticate(&SecretToken::from_client("guess")).await.unwrap(), None);

    fixture.later(days(6));
    assert!(fixture.identity.authenticate(&first.token).await.unwrap().is_some());
    fixture.later(days(1));
    assert_eq!(fixture.identity.authenticate(&second.token).await.unwrap(), None);
    let live = fixture.identity.sessions(ada()).await.unwrap();
    assert_eq!(live.iter().map(|session| session.id).collect::<Vec<_>>(), [first.session.id]);
    for _ in 0..24 {
        fixture.later(days(1));
        fixture.identity.authenticate(&first.token).await.unwrap();
    }
    assert_eq!(fixture.identity.authenticate(&first.token).await.unwrap(), None, "30 days are over");
}

#[tokio::test(start_paused = true)]
async fn the_use_of_a_session_is_written_down_once_an_hour() {
    let fixture = Fixture::registered("ada@example.org").await;
    let log_in = fixture.log_in(GOOD).await.unwrap();
    let seen = async || fixture.repositories.sessions.list(ada()).await.unwrap()[0].last_seen_at;
    fixture.later(minutes(59));
    fixture.identity.authenticate(&log_in.token).await.unwrap();
    assert_eq!(seen().await, log_in.session.last_seen_at);
    fixture.later(minutes(1));
    let session = fixture.identity.authenticate(&log_in.token).await.unwrap().unwrap();
    assert_eq!(seen().await, fixture.clock.now());
    assert_eq!(session.last_seen_at, seen().await);
}

#[tokio::test(start_paused = true)]
async fn sessions_end_one_by_one_or_together() {
    let fixture = Fixture::registered("ada@example.org").await;
    let mut log_ins = Vec::new();
    for _ in 0..4 {
        log_ins.push(fixture.log_in(GOOD).await.unwrap());
    }
    let open = async || {
        let mut open = Vec::new();
        for (n, log_in) in log_ins.iter().enumerate() {
            open.extend(fixture.identity.authenticate(&log_in.token).await.unwrap().map(|_| n));
        }
        open
    };
    let somebody = UserId::from_uuid(Uuid::from_u128(8));
    fixture.identity.end_session(somebody, log_ins[0].session.id).await.unwrap();
    assert_eq!(open().await, [0, 1, 2, 3]);
    fixture.identity.end_session(ada(), log_ins[0].session.id).await.unwrap();
    assert_eq!(open().await, [1, 2, 3]);
    fixture.identity.end_sessions(ada(), Some(log_ins[2].session.id)).await.unwrap();
    assert_eq!(open().await, [2]);
    fixture.identity.end_sessions(ada(), None).await.unwrap();
    assert_eq!(open().await, [0; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_mailed_link_sets_a_new_password_once_and_ends_every_session() {
    let fixture = Fixture::registered("ada@example.org").await;
    let session = fixture.log_in(GOOD).await.unwrap();
    fixture.identity.forgot_password(Some(ada()), &address("ada@example.org")).await.unwrap();
    let token = fixture.mailed_token().await;
    assert_eq!(token.len(), 43);
    for _ in 0..6 {
        // Those strangers' guesses neither use the link up nor lock the owner out afterwards.
        assert_ends_in!(fixture.log_in(OTHER).await, IdentityError::WrongCredentials | IdentityError::Throttled { .. });
        assert_ends_in!(fixture.reset("guess", OTHER).await, IdentityError::WrongCode);
    }
    assert_ends_in!(fixture.reset(&token, "too short").await, IdentityError::UnacceptablePassword(_));
    assert_eq!(fixture.reset(&token, OTHER).await.unwrap(), ada());
    assert_ends_in!(fixture.reset(&token, GOOD).await, IdentityError::WrongCode);
    assert_eq!(fixture.identity.authenticate(&session.token).await.unwrap(), None);
    fixture.log_in(OTHER).await.unwrap();
    assert_ends_in!(fixture.log_in(GOOD).await, IdentityError::WrongCredentials);
}

#[tokio::test(start_paused = true)]
async fn a_mailed_link_works_for_half_an_hour() {
    let fixture = Fixture::registered("ada@example.org").await;
    fixture.identity.forgot_password(Some(ada()), &address("ada@example.org")).await.unwrap();
    let token = fixture.mailed_token().await;
    fixture.later(minutes(30));
    assert_ends_in!(fixture.reset(&token, OTHER).await, IdentityError::WrongCode);
    fixture.log_in(GOOD).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_changed_password_ends_every_session_but_the_one_that_changed_it() {
    let fixture = Fixture::registered("ada@example.org").await;
    let (here, there) = (fixture.log_in(GOOD).await.unwrap(), fixture.log_in(GOOD).await.unwrap());
    let change = async |old: &str, new: &str| fixture.change(old, new, Some(here.session.id)).await;
    assert_ends_in!(change(OTHER, OTHER).await, IdentityError::WrongCredentials);
    assert_ends_in!(change(GOOD, "too short").await, IdentityError::UnacceptablePassword(_));
    assert!(fixture.identity.authenticate(&there.token).await.unwrap().is_some());
    change(GOOD, OTHER).await.unwrap();
    assert!(fixture.identity.authenticate(&here.token).await.unwrap().is_some());
    assert_eq!(fixture.identity.authenticate(&there.token).await.unwrap(), None);
    fixture.log_in(OTHER).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_log_in_with_the_old_password_does_not_outlive_a_change_at_that_moment() {
    let fixture = Fixture::registered("ada@example.org").await;
    let calls = fixture.calls(fixture.log_in(GOOD)).await;
    fixture.identity.end_sessions(ada(), None).await.unwrap();
    // Within the same millisecond.
    let hash = fixture.identity.hasher.hash(&password(OTHER)).await.unwrap();
    let changed = Credential { password: hash, ..fixture.credential().await.unwrap() };
    let credentials = fixture.repositories.credentials.clone();
    fixture.visit(&calls, "find", async move { credentials.put(&changed).await.unwrap() });
    assert_ends_in!(fixture.log_in(GOOD).await, IdentityError::WrongCredentials);
    assert_eq!(fixture.repositories.sessions.list(ada()).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_log_in_is_good_when_the_same_password_was_hashed_anew_at_that_moment() {
    let fixture = Fixture::registered("ada@example.org").await;
    let calls = fixture.calls(fixture.log_in(GOOD)).await;
    let hash = fixture.identity.hasher.hash(&password(GOOD)).await.unwrap();
    let renewed = Credential { password: hash, ..fixture.credential().await.unwrap() };
    let credentials = fixture.repositories.credentials.clone();
    fixture.visit(&calls, "find", async move { credentials.put(&renewed).await.unwrap() });
    fixture.log_in(GOOD).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_change_that_began_before_a_reset_does_not_undo_it() {
    const THEIRS: &str = "eleven calm penguins";
    let fixture = Fixture::registered("ada@example.org").await;
    let calls = fixture.calls(fixture.change(GOOD, GOOD, None)).await;
    let hash = fixture.identity.hasher.hash(&password(OTHER)).await.unwrap();
    let reset = Credential { password: hash, ..fixture.credential().await.unwrap() };
    let credentials = fixture.repositories.credentials.clone();
    fixture.visit(&calls, "replace", async move { credentials.put(&reset).await.unwrap() });
    assert_ends_in!(fixture.change(GOOD, THEIRS, None).await, IdentityError::WrongCredentials);
    fixture.log_in(OTHER).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_stops_half_way_leaves_no_session_or_a_good_link() {
    for (method, fault, link_is_good) in [
        ("try_code", Fault::DroppedAfter, false),
        ("try_code", Fault::ReplyLost, false),
        ("try_code", Fault::FailsBefore, true),
        ("try_code", Fault::DroppedBefore, true),
    ] {
        let fixture = Fixture::registered("ada@example.org").await;
        let email = address("ada@example.org");
        let stolen = fixture.log_in(GOOD).await.unwrap();
        fixture.identity.forgot_password(Some(ada()), &email).await.unwrap();
        let token = fixture.mailed_token().await;
        // What ends sessions comes first, so that this is the third call.
        fixture.plan.fail(fixture.plan.calls().len() + 2, fault);
        let reset = tokio::time::timeout(days(1), fixture.reset(&token, OTHER)).await;
        assert!(!matches!(reset, Ok(Ok(_))));
        assert_eq!(fixture.plan.calls().last(), Some(&method));
        assert_eq!(fixture.identity.authenticate(&stolen.token).await.unwrap(), None, "{fault:?}");
        assert_eq!(fixture.log_in(OTHER).await.is_ok(), !link_is_good, "{fault:?}");
        assert_eq!(fixture.reset(&token, OTHER).await.is_ok(), link_is_good, "{fault:?}");
        fixture.log_in(OTHER).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn mails_to_an_address_come_a_minute_apart_and_five_an_hour_whether_or_not_there_is_an_account() {
    let fixture = Fixture::registered("ada@example.org").await;
    for user in [Some(ada()), None] {
        let email = address(if user.is_some() { "ada@example.org" } else { "nobody@example.org" });
        for kind in ["code", "link"] {
            let ask = async || match kind {
                "code" => fixture.identity.resend_code(user, &email).await,
                _ => fixture.identity.forgot_password(user, &email).await,
            };
            for _ in 0..5 {
                ask().await.unwrap();
                fixture.later(Duration::from_secs(59));
                assert_ends_in!(ask().await, IdentityError::Throttled { .. });
                fixture.later(Duration::from_secs(1));
            }
            for _ in 5..60 {
                assert_ends_in!(ask().await, IdentityError::Throttled { .. });
                fixture.later(minutes(1));
            }
            ask().await.unwrap();
        }
    }
    assert_eq!(fixture.mails().await, 12);
}

#[tokio::test(start_paused = true)]
async fn signing_up_mails_at_most_five_times_an_hour_whether_or_not_there_is_an_account() {
    let fixture = fixture();
    let (new, old) = (address("ada@example.org"), address("bob@example.org"));
    for _ in 0..5 {
        fixture.identity.register(ada(), &new, &password(GOOD)).await.unwrap();
        fixture.identity.register_again(&old, &password(GOOD)).await.unwrap();
    }
    assert_ends_in!(fixture.identity.register(ada(), &new, &password(GOOD)).await, IdentityError::Throttled { .. });
    assert_ends_in!(fixture.identity.register_again(&old, &password(GOOD)).await, IdentityError::Throttled { .. });
    let mails = fixture.mailer.sent();
    assert_eq!(mails.len(), 10);
    assert!(mails.iter().filter(|mail| mail.to == old).all(|mail| mail.text.contains("There is an account already")));
}

#[tokio::test(start_paused = true)]
async fn mail_that_is_down_fails_a_sign_up_but_tells_nobody_who_forgot_a_password() {
    let fixture = Fixture::registered("ada@example.org").await;
    fixture.plan.break_down("send");
    let email = address("ada@example.org");
    assert_ends_in!(fixture.identity.register(ada(), &email, &password(GOOD)).await, IdentityError::Backend(_));
    assert_ends_in!(fixture.identity.register_again(&email, &password(GOOD)).await, IdentityError::Backend(_));
    fixture.identity.forgot_password(Some(ada()), &email).await.unwrap();
    fixture.identity.resend_code(Some(ada()), &email).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_of_a_removed_identity_but_what_is_counted_of_an_origin() {
    for (removals, left) in [(0, 8), (1, 1), (2, 1)] {
        let fixture = Fixture::registered("ada@example.org").await;
        let email = address("ada@example.org");
        fixture.log_in(GOOD).await.unwrap();
        fixture.identity.register(ada(), &email, &password(GOOD)).await.unwrap();
        fixture.identity.resend_code(Some(ada()), &email).await.unwrap();
        fixture.identity.forgot_password(Some(ada()), &email).await.unwrap();
        assert_ends_in!(fixture.log_in(OTHER).await, IdentityError::WrongCredentials);
        let wrong = fixture.identity.verify_password(ada(), &email, &password(OTHER)).await;
        assert_ends_in!(wrong, IdentityError::WrongCredentials);
        fixture.identity.settle().await;

        let Repositories { credentials, sessions, rate_limiter, .. } = &fixture.repositories;
        for _ in 0..removals {
            fixture.identity.remove(ada(), &email).await.unwrap();
            assert_eq!(fixture.credential().await, None);
            for purpose in [CodePurpose::ConfirmEmail, CodePurpose::ResetPassword] {
                assert_eq!(credentials.find_code(purpose, &email).await.unwrap(), None);
            }
            assert_eq!(sessions.list(ada()).await.unwrap(), []);
        }
        let hours = if removals > 0 { 1 } else { 24 };
        let counted = rate_limiter.remove_expired(fixture.clock.now().plus(minutes(60 * hours + 1)), 100).await;
        assert_eq!(counted.unwrap(), left, "{removals} removals");
        assert_eq!(rate_limiter.remove_expired(Timestamp::MAX, 100).await.unwrap(), 0);
    }
}
