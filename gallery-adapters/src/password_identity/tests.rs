use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use gallery_domain::ports::{BackendFailure, Mail, RepositoryError};
use gallery_domain::{PasswordHash, Sha256Digest, ThrottleState, Timestamp, TokenHash};

use super::*;
use crate::system::SystemIds;

const GOOD: &str = "seven quiet walruses";
const OTHER: &str = "nine loud flamingos";

struct Fixture {
    identity: PasswordIdentity,
    world: Arc<World>,
}

/// A store, a clock and a mailbox.
#[derive(Debug)]
struct World {
    now: AtomicI64,
    mail_is_down: AtomicBool,
    mails: Mutex<Vec<Mail>>,
    credentials: Mutex<Vec<Credential>>,
    codes: Mutex<Vec<OneTimeCode>>,
    sessions: Mutex<Vec<Session>>,
    attempts: Mutex<Vec<(ThrottleKey, ThrottleState)>>,
    /// Runs as soon as the next session was inserted: what somebody else does at that moment.
    meanwhile: Mutex<Option<Credential>>,
    /// Is set right before the next code to confirm an address: by somebody who signs up at that moment.
    signed_up_meanwhile: Mutex<Option<OneTimeCode>>,
}

fn fixture() -> Fixture {
    let world = Arc::new(World {
        now: AtomicI64::new(1_717_200_000_000),
        mail_is_down: AtomicBool::new(false),
        mails: Mutex::default(),
        credentials: Mutex::default(),
        codes: Mutex::default(),
        sessions: Mutex::default(),
        attempts: Mutex::default(),
        meanwhile: Mutex::default(),
        signed_up_meanwhile: Mutex::default(),
    });
    let ports = IdentityPorts {
        credentials: world.clone(),
        sessions: world.clone(),
        rate_limiter: world.clone(),
        mailer: world.clone(),
        clock: world.clone(),
        ids: Arc::new(SystemIds::default()),
    };
    Fixture { identity: PasswordIdentity::new(ports, "https://photos.example".parse().unwrap()), world }
}

impl Fixture {
    async fn registered(email: &str) -> Self {
        let fixture = fixture();
        fixture.identity.register_confirmed(ada(), &address(email), &password(GOOD)).await.unwrap();
        fixture
    }

    async fn log_in(&self, text: &str) -> Result<LogIn, IdentityError> {
        self.identity
            .log_in(Some(ada()), &address("ada@example.org"), &password(text), &ClientLabel::new("Firefox"))
            .await
    }

    async fn log_in_as_nobody(&self, text: &str) -> Result<LogIn, IdentityError> {
        self.identity.log_in(None, &address("nobody@example.org"), &password(text), &ClientLabel::default()).await
    }

    async fn confirm(&self, code: &str) -> Result<UserId, IdentityError> {
        self.identity.confirm(&address("ada@example.org"), code).await
    }

    async fn reset(&self, token: &str, text: &str) -> Result<UserId, IdentityError> {
        self.identity.reset_password(&address("ada@example.org"), token, &password(text)).await
    }

    /// How many hashes some work costs.
    async fn hashes<T>(&self, work: impl Future<Output = T>) -> u64 {
        let before = self.identity.hasher.hashes.load(Ordering::Relaxed);
        work.await;
        self.identity.hasher.hashes.load(Ordering::Relaxed) - before
    }

    fn later(&self, duration: Duration) {
        self.world.now.fetch_add(duration.as_millis() as i64, Ordering::Relaxed);
    }

    async fn mails(&self) -> usize {
        self.identity.settle().await;
        self.world.mails.lock().unwrap().len()
    }

    /// The line of the last mail that holds what was asked for.
    async fn mailed(&self, wanted: impl Fn(&str) -> bool) -> String {
        self.identity.settle().await;
        let mails = self.world.mails.lock().unwrap();
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
    assert!(fixture.world.credentials.lock().unwrap().is_empty());
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
    let email = address("ada@example.org");
    let theirs = OneTimeCode {
        purpose: CodePurpose::ConfirmEmail,
        address: email.clone(),
        user: ada(),
        hash: Sha256Digest::of(b"theirs"),
        expires_at: fixture.world.now().plus(minutes(10)),
        tries_left: 5,
        password: Some(fixture.identity.hasher.hash(&password(OTHER)).await.unwrap()),
    };
    *fixture.world.signed_up_meanwhile.lock().unwrap() = Some(theirs);
    fixture.identity.register(ada(), &email, &password(GOOD)).await.unwrap();
    fixture.confirm(&fixture.mailed_code().await).await.unwrap();
    assert!(fixture.world.credentials.lock().unwrap().is_empty());
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
    assert_ne!(fixture.world.codes.lock().unwrap()[0].hash, Sha256Digest::of(code.as_bytes()));
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
    assert!(fixture.world.credentials.lock().unwrap().is_empty());
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
    assert_eq!(fixture.hashes(fixture.reset("wrong", OTHER)).await, 1);
    assert_eq!(fixture.hashes(fixture.identity.reset_password(&address("x@example.org"), "wrong", &good)).await, 1);
    assert_eq!(fixture.hashes(fixture.identity.forgot_password(Some(ada()), &email)).await, 0);
    assert_eq!(fixture.hashes(fixture.identity.forgot_password(None, &address("x@example.org"))).await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_only_an_account_gets_happens_behind_an_answer_of_equal_time() {
    let fixture = Fixture::registered("ada@example.org").await;
    let (known, unknown) = (address("ada@example.org"), address("nobody@example.org"));
    let time = async |work: std::pin::Pin<Box<dyn Future<Output = Result<(), IdentityError>> + Send + '_>>| {
        let start = tokio::time::Instant::now();
        work.await.unwrap();
        start.elapsed()
    };
    // The clock of these tests stands still but for waiting, so these are not measurements.
    let identity = &fixture.identity;
    let with = time(identity.forgot_password(Some(ada()), &known)).await;
    assert!(with >= PasswordIdentity::ANSWER_AFTER);
    assert_eq!(with, time(identity.forgot_password(None, &unknown)).await);
    assert_eq!(with, time(identity.resend_code(Some(ada()), &known)).await);
    assert_eq!(with, time(identity.resend_code(None, &unknown)).await);
    assert_eq!(fixture.mails().await, 2, "both to the account that there is");
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
async fn guessing_gets_slower_and_never_locks_for_good_with_or_without_an_account() {
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
    fixture.world.credentials.lock().unwrap()[0].password = PasswordHash::from_phc(hash.to_string());
    fixture.log_in(GOOD).await.unwrap();
    assert!(fixture.world.credentials.lock().unwrap()[0].password.as_phc().contains("m=19456,t=2,p=1"));
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
    let seen = || fixture.world.sessions.lock().unwrap()[0].last_seen_at;
    fixture.later(minutes(59));
    fixture.identity.authenticate(&log_in.token).await.unwrap();
    assert_eq!(seen(), log_in.session.last_seen_at);
    fixture.later(minutes(1));
    let session = fixture.identity.authenticate(&log_in.token).await.unwrap().unwrap();
    assert_eq!(seen(), fixture.world.now());
    assert_eq!(session.last_seen_at, seen());
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
async fn setting_new_passwords_by_guesswork_is_slowed_down() {
    let fixture = Fixture::registered("ada@example.org").await;
    for _ in 0..10 {
        assert_ends_in!(fixture.reset("guess", OTHER).await, IdentityError::WrongCode);
    }
    assert_ends_in!(fixture.reset("guess", OTHER).await, IdentityError::Throttled { .. });
}

#[tokio::test(start_paused = true)]
async fn a_changed_password_ends_every_session_but_the_one_that_changed_it() {
    let fixture = Fixture::registered("ada@example.org").await;
    let (here, there) = (fixture.log_in(GOOD).await.unwrap(), fixture.log_in(GOOD).await.unwrap());
    let change = async |old: &str, new: &str| {
        let (old, new) = (password(old), password(new));
        let email = address("ada@example.org");
        fixture.identity.change_password(ada(), &email, &old, &new, Some(here.session.id)).await
    };
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
    let mut changed = fixture.world.credentials.lock().unwrap()[0].clone();
    changed.changed_at = changed.changed_at.plus(Duration::from_millis(1));
    *fixture.world.meanwhile.lock().unwrap() = Some(changed);
    assert_ends_in!(fixture.log_in(GOOD).await, IdentityError::WrongCredentials);
    assert!(fixture.world.sessions.lock().unwrap().is_empty());
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
    let mails = fixture.world.mails.lock().unwrap();
    assert_eq!(mails.len(), 10);
    assert!(mails.iter().filter(|mail| mail.to == old).all(|mail| mail.text.contains("There is an account already")));
}

#[tokio::test(start_paused = true)]
async fn mail_that_is_down_fails_a_sign_up_but_tells_nobody_who_forgot_a_password() {
    let fixture = Fixture::registered("ada@example.org").await;
    fixture.world.mail_is_down.store(true, Ordering::Relaxed);
    let email = address("ada@example.org");
    assert_ends_in!(fixture.identity.register(ada(), &email, &password(GOOD)).await, IdentityError::Backend(_));
    assert_ends_in!(fixture.identity.register_again(&email, &password(GOOD)).await, IdentityError::Backend(_));
    fixture.identity.forgot_password(Some(ada()), &email).await.unwrap();
    fixture.identity.resend_code(Some(ada()), &email).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_of_a_removed_identity() {
    let fixture = Fixture::registered("ada@example.org").await;
    let email = address("ada@example.org");
    fixture.log_in(GOOD).await.unwrap();
    fixture.identity.register(ada(), &email, &password(GOOD)).await.unwrap();
    fixture.identity.resend_code(Some(ada()), &email).await.unwrap();
    fixture.identity.forgot_password(Some(ada()), &email).await.unwrap();
    assert_ends_in!(fixture.reset("guess", GOOD).await, IdentityError::WrongCode);
    assert_ends_in!(fixture.log_in(OTHER).await, IdentityError::WrongCredentials);
    let wrong = fixture.identity.verify_password(ada(), &email, &password(OTHER)).await;
    assert_ends_in!(wrong, IdentityError::WrongCredentials);
    fixture.identity.settle().await;
    assert_eq!(fixture.world.attempts.lock().unwrap().len(), 8);

    for _ in 0..2 {
        fixture.identity.remove(ada(), &email).await.unwrap();
        assert!(fixture.world.credentials.lock().unwrap().is_empty());
        assert!(fixture.world.codes.lock().unwrap().is_empty());
        assert!(fixture.world.sessions.lock().unwrap().is_empty());
        assert!(fixture.world.attempts.lock().unwrap().is_empty());
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::Relaxed))
    }
}

#[async_trait]
impl Mailer for World {
    async fn send(&self, mail: &Mail) -> Result<(), BackendFailure> {
        if self.mail_is_down.load(Ordering::Relaxed) {
            return Err(BackendFailure::transient("mail", "send", "the line is dead"));
        }
        self.mails.lock().unwrap().push(mail.clone());
        Ok(())
    }
}

#[async_trait]
impl CredentialRepository for World {
    async fn put(&self, credential: &Credential) -> Result<(), RepositoryError> {
        let mut credentials = self.credentials.lock().unwrap();
        credentials.retain(|kept| kept.user != credential.user);
        credentials.push(credential.clone());
        Ok(())
    }

    async fn find(&self, user: UserId) -> Result<Option<Credential>, RepositoryError> {
        Ok(self.credentials.lock().unwrap().iter().find(|kept| kept.user == user).cloned())
    }

    async fn rehash(&self, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, RepositoryError> {
        let mut credentials = self.credentials.lock().unwrap();
        let kept = credentials.iter_mut().find(|kept| kept.user == user && kept.password == *old);
        Ok(kept.map(|kept| kept.password = new.clone()).is_some())
    }

    async fn put_code(&self, code: &OneTimeCode) -> Result<(), RepositoryError> {
        let mut codes = self.codes.lock().unwrap();
        codes.retain(|kept| (kept.purpose, &kept.address) != (code.purpose, &code.address));
        codes.push(code.clone());
        Ok(())
    }

    async fn find_code(
        &self,
        purpose: CodePurpose,
        address: &EmailAddress,
    ) -> Result<Option<OneTimeCode>, RepositoryError> {
        let codes = self.codes.lock().unwrap();
        Ok(codes.iter().find(|kept| (kept.purpose, &kept.address) == (purpose, address)).cloned())
    }

    async fn replace_code(&self, code: &OneTimeCode, old: Option<Sha256Digest>) -> Result<bool, RepositoryError> {
        let meanwhile = self.signed_up_meanwhile.lock().unwrap().take();
        if let Some(theirs) = meanwhile {
            self.put_code(&theirs).await?;
        }
        let kept = self.find_code(code.purpose, &code.address).await?;
        if kept.as_ref().map(|kept| kept.hash) != old {
            return Ok(false);
        }
        self.put_code(code).await?;
        Ok(true)
    }

    async fn try_code(
        &self,
        purpose: CodePurpose,
        address: &EmailAddress,
        hash: &Sha256Digest,
        now: Timestamp,
    ) -> Result<CodeTry, RepositoryError> {
        let accepted = {
            let mut codes = self.codes.lock().unwrap();
            let place = codes.iter().position(|kept| {
                (kept.purpose, &kept.address) == (purpose, address) && kept.tries_left > 0 && now < kept.expires_at
            });
            let Some(place) = place else { return Ok(CodeTry::Refused) };
            if codes[place].hash != *hash {
                codes[place].tries_left -= 1;
                return Ok(CodeTry::Refused);
            }
            codes.remove(place)
        };
        let user = accepted.user;
        if let Some(password) = accepted.password {
            self.put(&Credential { user, password, changed_at: now }).await?;
        }
        Ok(CodeTry::Accepted(user))
    }

    async fn remove(&self, user: UserId) -> Result<(), RepositoryError> {
        self.credentials.lock().unwrap().retain(|kept| kept.user != user);
        self.codes.lock().unwrap().retain(|kept| kept.user != user);
        Ok(())
    }
}

#[async_trait]
impl SessionRepository for World {
    async fn insert(&self, session: &Session) -> Result<(), RepositoryError> {
        self.sessions.lock().unwrap().push(session.clone());
        let meanwhile = self.meanwhile.lock().unwrap().take();
        match meanwhile {
            Some(credential) => self.put(&credential).await,
            None => Ok(()),
        }
    }

    async fn find_by_token(&self, token: &TokenHash) -> Result<Option<Session>, RepositoryError> {
        Ok(self.sessions.lock().unwrap().iter().find(|kept| kept.token == *token).cloned())
    }

    async fn touch(&self, user: UserId, id: SessionId, seen_at: Timestamp) -> Result<(), RepositoryError> {
        let mut sessions = self.sessions.lock().unwrap();
        let kept = sessions.iter_mut().find(|kept| (kept.user, kept.id) == (user, id));
        kept.into_iter().for_each(|kept| kept.last_seen_at = kept.last_seen_at.max(seen_at));
        Ok(())
    }

    async fn list(&self, user: UserId) -> Result<Vec<Session>, RepositoryError> {
        Ok(self.sessions.lock().unwrap().iter().rev().filter(|kept| kept.user == user).cloned().collect())
    }

    async fn remove(&self, user: UserId, id: SessionId) -> Result<(), RepositoryError> {
        self.sessions.lock().unwrap().retain(|kept| (kept.user, kept.id) != (user, id));
        Ok(())
    }

    async fn remove_all(&self, user: UserId, except: Option<SessionId>) -> Result<(), RepositoryError> {
        self.sessions.lock().unwrap().retain(|kept| kept.user != user || Some(kept.id) == except);
        Ok(())
    }

    async fn remove_expired(&self, now: Timestamp, _limit: u32) -> Result<u64, RepositoryError> {
        let mut sessions = self.sessions.lock().unwrap();
        let before = sessions.len();
        sessions.retain(|kept| kept.is_live(now));
        Ok((before - sessions.len()) as u64)
    }
}

#[async_trait]
impl RateLimiter for World {
    async fn attempt(
        &self,
        key: &ThrottleKey,
        throttle: &Throttle,
        now: Timestamp,
    ) -> Result<Decision, RepositoryError> {
        let mut attempts = self.attempts.lock().unwrap();
        let place = attempts.iter().position(|(kept, _)| kept == key);
        let (state, decision) = throttle.decide(place.map(|place| attempts[place].1).unwrap_or_default(), now);
        attempts.retain(|(kept, _)| kept != key);
        attempts.push((key.clone(), state));
        Ok(decision)
    }

    async fn reset(&self, key: &ThrottleKey) -> Result<(), RepositoryError> {
        self.attempts.lock().unwrap().retain(|(kept, _)| kept != key);
        Ok(())
    }

    async fn remove_expired(&self, _now: Timestamp, _limit: u32) -> Result<u64, RepositoryError> {
        Ok(0)
    }
}
