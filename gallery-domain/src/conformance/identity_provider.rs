//! What an [`IdentityProvider`] owes, but for the time that its answers take: that is for a measurement to say.
//!
//! An outside identity can be held to all of it whose fixture can read what was mailed and let time pass.

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join, join_all};

use super::expectations::{Succeeds, winners};
use super::fixtures::{RACERS, SCRIPTS, Things};
use crate::ports::{IdentityError, IdentityProvider, LogIn};
use crate::{Client, ClientLabel, EmailAddress, Password, SecretToken, Session, SessionId, UserId};

/// Runs each clause on identities as a test: takes an expression for an [`Identity`](crate::conformance::identity_provider::Identity) or a
/// [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! identity_provider_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            identity_provider,
            $crate::conformance::identity_provider::Identity,
            $fixture,
            [
                a_password_counts_once_the_code_is_confirmed,
                signing_up_again_replaces_the_code_and_keeps_the_password,
                of_two_passwords_that_were_signed_up_with_none_counts,
                a_refused_password_signs_nobody_up,
                signing_up_where_there_is_an_account_mails_and_keeps_nothing,
                an_identity_made_confirmed_gets_no_mail,
                an_identity_made_confirmed_voids_the_codes_before,
                another_code_replaces_the_one_before_and_keeps_the_password,
                nothing_is_mailed_where_there_is_nobody,
                a_code_confirms_once,
                a_wrong_code_confirms_nobody,
                a_code_confirms_its_own_address_only,
                a_code_ends_within_a_day,
                a_code_ends_after_a_hundred_wrong_tries,
                of_many_who_confirm_with_one_code_one_is_accepted,
                a_log_in_opens_a_session,
                a_wrong_password_and_an_unknown_address_are_answered_alike,
                a_password_may_be_in_every_script,
                a_password_is_the_same_however_its_letters_are_composed,
                guessing_elsewhere_keeps_nobody_out,
                a_log_in_with_the_old_password_leaves_no_session_behind_a_new_one,
                a_token_opens_its_own_session,
                a_session_ends_when_it_is_not_used,
                a_session_ends_however_much_it_is_used,
                the_password_of_who_is_logged_in_can_be_checked,
                live_sessions_are_listed_last_created_first,
                a_session_of_the_user_ends_and_no_other,
                all_sessions_end_but_the_one_named,
                a_link_sets_a_new_password_once_and_ends_every_session,
                another_link_replaces_the_one_before,
                a_wrong_link_sets_nothing_and_leaves_the_right_one_good,
                a_link_is_good_for_its_own_address_and_purpose,
                a_link_ends_within_a_day,
                a_refused_password_leaves_a_link_good,
                of_many_who_use_one_link_one_is_accepted_and_theirs_counts,
                a_new_password_ends_every_session_but_the_one_named,
                a_change_that_is_refused_changes_nothing,
                of_many_who_change_one_password_one_is_accepted,
                a_removed_identity_leaves_nothing,
                removing_an_absent_identity_succeeds,
            ]
        );
    };
}

/// An identity provider that knows nobody, and what a clause has to see and do around it.
pub struct Identity {
    /// The provider.
    pub provider: Arc<dyn IdentityProvider>,
    /// What was mailed to an address, oldest first, once all that is on its way has arrived.
    pub mailed: Box<dyn Fn(EmailAddress) -> BoxFuture<'static, Vec<Mailed>> + Send + Sync>,
    /// Lets time pass.
    pub pass: Box<dyn Fn(Duration) + Send + Sync>,
}

/// What a mail brings.
#[derive(Clone, PartialEq, Eq)]
pub enum Mailed {
    /// A code that confirms an address.
    Code(String),
    /// A link to set a new password: its token.
    Link(String),
    /// Words.
    Notice,
}

impl Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// Shows neither code nor token.
impl Debug for Mailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code(_) => "Code(…)",
            Self::Link(_) => "Link(…)",
            Self::Notice => "Notice",
        })
    }
}

const GOOD: &str = "seven quiet walruses";
const OTHER: &str = "nine loud flamingos";
const SHORT: &str = "short";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// And not before.
pub async fn a_password_counts_once_the_code_is_confirmed(identity: &Identity) {
    let ada = identity.signed_up("ada", GOOD).await;
    assert_refused!(
        identity.log_in(&ada, GOOD).await,
        IdentityError::WrongCredentials,
        "a password waits for its code"
    );
    assert_eq!(identity.confirm(&ada, &identity.code(&ada).await).await.succeeds("confirming"), ada.user);
    identity.log_in(&ada, GOOD).await.succeeds("logging in with the password that was signed up with");
}

/// Of the two codes the later one works.
pub async fn signing_up_again_replaces_the_code_and_keeps_the_password(identity: &Identity) {
    let ada = identity.signed_up("ada", GOOD).await;
    let first = identity.code(&ada).await;
    identity.sign_up(&ada, GOOD).await.succeeds("signing up once more");
    let second = identity.code(&ada).await;
    assert_refused!(identity.confirm(&ada, &first).await, IdentityError::WrongCode, "the code before stops working");
    identity.confirm(&ada, &second).await.succeeds("confirming with the last code");
    identity.log_in(&ada, GOOD).await.succeeds("logging in with the password of both sign-ups");
}

/// A stranger chooses nobody's password, whoever comes first; the owner sets one by a link.
pub async fn of_two_passwords_that_were_signed_up_with_none_counts(identity: &Identity) {
    for (name, first, second) in [("ada", GOOD, OTHER), ("bob", OTHER, GOOD)] {
        let person = identity.signed_up(name, first).await;
        identity.sign_up(&person, second).await.succeeds("signing up with another password");
        identity.confirm(&person, &identity.code(&person).await).await.succeeds("confirming");
        for password in [first, second] {
            let result = identity.log_in(&person, password).await;
            assert_refused!(result, IdentityError::WrongCredentials, "neither password counts");
        }
        let third = "eleven calm penguins";
        identity.forget(&person).await;
        identity.reset(&person, &identity.link(&person).await, third).await.succeeds("setting a password");
        identity.log_in(&person, third).await.succeeds("logging in with the password that the owner set");
    }
}

/// With the same words whether or not there is an account, and no mail.
pub async fn a_refused_password_signs_nobody_up(identity: &Identity) {
    let ada = Person::new("ada");
    let new = identity.sign_up(&ada, SHORT).await;
    let again = identity.provider.register_again(&ada.email, &password(SHORT)).await;
    let made = identity.provider.register_confirmed(ada.user, &ada.email, &password(SHORT)).await;
    let words: Vec<String> =
        [new, again, made].into_iter().map(|result| result.expect_err("it is too short").to_string()).collect();
    assert!(words.iter().all(|word| *word == words[0]), "a password is refused in the same words: {words:?}");
    assert_eq!(identity.mails(&ada).await, [], "nothing is mailed for a refused password");
}

/// Its password stays, and no code comes of it.
pub async fn signing_up_where_there_is_an_account_mails_and_keeps_nothing(identity: &Identity) {
    let ada = identity.made("ada").await;
    identity.provider.register_again(&ada.email, &password(OTHER)).await.succeeds("signing up again");
    assert_eq!(identity.mails(&ada).await, [Mailed::Notice], "the owner is told");
    assert_refused!(identity.log_in(&ada, OTHER).await, IdentityError::WrongCredentials, "no password is kept");
    identity.log_in(&ada, GOOD).await.succeeds("logging in as before");
}

/// It needs none.
pub async fn an_identity_made_confirmed_gets_no_mail(identity: &Identity) {
    let ada = identity.made("ada").await;
    identity.log_in(&ada, GOOD).await.succeeds("logging in");
    assert_eq!(identity.mails(&ada).await, [], "nothing is mailed");
}

/// Whoever signed up before does not get in.
pub async fn an_identity_made_confirmed_voids_the_codes_before(identity: &Identity) {
    let ada = identity.signed_up("ada", OTHER).await;
    let code = identity.code(&ada).await;
    identity.provider.register_confirmed(ada.user, &ada.email, &password(GOOD)).await.succeeds("making an identity");
    assert_refused!(identity.confirm(&ada, &code).await, IdentityError::WrongCode, "codes before stop working");
    assert_refused!(
        identity.log_in(&ada, OTHER).await,
        IdentityError::WrongCredentials,
        "what they bring does not count"
    );
    identity.log_in(&ada, GOOD).await.succeeds("logging in");
}

/// Also when that has expired.
pub async fn another_code_replaces_the_one_before_and_keeps_the_password(identity: &Identity) {
    for (name, later) in [("ada", 2 * MINUTE), ("bob", DAY)] {
        let person = identity.signed_up(name, GOOD).await;
        let first = identity.code(&person).await;
        (identity.pass)(later);
        identity.provider.resend_code(Some(person.user), &person.email).await.succeeds("asking for another code");
        let second = identity.code(&person).await;
        assert_ne!(first, second, "another code is another");
        assert_refused!(identity.confirm(&person, &first).await, IdentityError::WrongCode, "the code before is void");
        identity.confirm(&person, &second).await.succeeds("confirming with the last code");
        identity.log_in(&person, GOOD).await.succeeds("logging in with the password that was signed up with");
    }
}

/// And nobody is told.
pub async fn nothing_is_mailed_where_there_is_nobody(identity: &Identity) {
    let nobody = Person::new("nobody");
    identity.provider.resend_code(None, &nobody.email).await.succeeds("asking for a code");
    identity.provider.forgot_password(None, &nobody.email).await.succeeds("asking for a link");
    assert_eq!(identity.mails(&nobody).await, [], "nothing is mailed where there is nobody");
}

/// And says whose it is.
pub async fn a_code_confirms_once(identity: &Identity) {
    let ada = identity.signed_up("ada", GOOD).await;
    let code = identity.code(&ada).await;
    assert_eq!(identity.confirm(&ada, &code).await.succeeds("confirming"), ada.user, "a code says whose it is");
    assert_refused!(identity.confirm(&ada, &code).await, IdentityError::WrongCode, "a code works once");
    let changed = identity.change(&ada, GOOD, OTHER, None).await;
    changed.succeeds("changing the password");
    assert_refused!(identity.confirm(&ada, &code).await, IdentityError::WrongCode, "a used code brings nothing");
    identity.log_in(&ada, OTHER).await.succeeds("logging in with the new password");
}

/// And a typing error is no disaster.
pub async fn a_wrong_code_confirms_nobody(identity: &Identity) {
    let ada = identity.signed_up("ada", GOOD).await;
    let code = identity.code(&ada).await;
    for wrong in [mistyped(&code), String::new(), "\u{0}".repeat(64)] {
        assert_refused!(identity.confirm(&ada, &wrong).await, IdentityError::WrongCode, "a wrong code is refused");
    }
    assert_refused!(identity.log_in(&ada, GOOD).await, IdentityError::WrongCredentials, "a wrong code confirms nobody");
    identity.confirm(&ada, &code).await.succeeds("confirming with the right code");
}

/// Elsewhere it is a wrong one.
pub async fn a_code_confirms_its_own_address_only(identity: &Identity) {
    let (ada, bob) = (identity.signed_up("ada", GOOD).await, identity.signed_up("bob", GOOD).await);
    let absent = Person::new("nobody");
    let code = identity.code(&ada).await;
    for other in [&bob, &absent] {
        let result = identity.confirm(other, &code).await;
        assert_refused!(result, IdentityError::WrongCode, "a code is wrong for another address");
    }
    assert_eq!(identity.confirm(&ada, &code).await.succeeds("confirming"), ada.user);
    assert_eq!(identity.confirm(&bob, &identity.code(&bob).await).await.succeeds("confirming"), bob.user);
}

/// Whoever finds an old mail cannot use it.
pub async fn a_code_ends_within_a_day(identity: &Identity) {
    let ada = identity.signed_up("ada", GOOD).await;
    let code = identity.code(&ada).await;
    (identity.pass)(DAY + MINUTE);
    assert_refused!(identity.confirm(&ada, &code).await, IdentityError::WrongCode, "a code ends within a day");
}

/// Guessing ends.
pub async fn a_code_ends_after_a_hundred_wrong_tries(identity: &Identity) {
    let ada = identity.signed_up("ada", GOOD).await;
    let (code, wrong) = (identity.code(&ada).await, mistyped(&identity.code(&ada).await));
    for _ in 0..4 {
        let tries = join_all((0..25).map(|_| identity.confirm(&ada, &wrong))).await;
        assert!(tries.iter().all(Result::is_err), "a wrong code is refused however often it is tried");
    }
    let result = identity.confirm(&ada, &code).await;
    assert!(
        matches!(result, Err(IdentityError::WrongCode | IdentityError::Throttled { .. })),
        "a code that was guessed at a hundred times is refused, but the answer is {result:?}"
    );
}

/// However many try at once.
pub async fn of_many_who_confirm_with_one_code_one_is_accepted(identity: &Identity) {
    let ada = identity.signed_up("ada", GOOD).await;
    let code = identity.code(&ada).await;
    let confirmed = join_all((0..RACERS).map(|_| identity.confirm(&ada, &code))).await;
    let confirmed: Vec<Result<(), IdentityError>> =
        confirmed.into_iter().map(|confirmed| confirmed.map(drop)).collect();
    let won = winners(&confirmed, |error| matches!(error, IdentityError::WrongCode));
    assert_eq!(won, 1, "one of {RACERS} is accepted");
    identity.log_in(&ada, GOOD).await.succeeds("logging in");
}

/// Each its own, with what the client called itself.
pub async fn a_log_in_opens_a_session(identity: &Identity) {
    let ada = identity.made("ada").await;
    let [first, second] = [identity.logged_in(&ada).await, identity.logged_in(&ada).await];
    assert_ne!(first.session.id, second.session.id, "each log-in opens a session of its own");
    assert_ne!(first.token.expose(), second.token.expose(), "each session has a token of its own");
    assert_eq!((first.session.user, &first.session.client), (ada.user, &client("home").label), "whose, and by what");
    assert_eq!(first.session.created_at, first.session.last_seen_at, "it was not used yet");
}

/// With the same words.
pub async fn a_wrong_password_and_an_unknown_address_are_answered_alike(identity: &Identity) {
    let (ada, nobody) = (identity.made("ada").await, Person::new("nobody"));
    let wrong = identity.log_in(&ada, OTHER).await;
    let unknown = identity.provider.log_in(None, &nobody.email, &password(GOOD), &client("home")).await;
    let barred = identity.provider.log_in(None, &ada.email, &password(GOOD), &client("home")).await;
    for result in [wrong, unknown, barred] {
        assert_refused!(
            result,
            IdentityError::WrongCredentials,
            "nobody learns whether it is the address or the password"
        );
    }
}

/// And no other opens what one opens.
pub async fn a_password_may_be_in_every_script(identity: &Identity) {
    let texts = SCRIPTS.map(|(text, word)| format!("{text} {word} {text}"));
    let people: Vec<Person> = (0..texts.len()).map(|n| Person::new(&format!("reader{n}"))).collect();
    for (person, text) in people.iter().zip(&texts) {
        let made = identity.provider.register_confirmed(person.user, &person.email, &password(text)).await;
        made.succeeds("setting a password");
    }
    for (n, (person, text)) in people.iter().zip(&texts).enumerate() {
        let another = &texts[(n + 1) % texts.len()];
        let result = identity.log_in(person, another).await;
        assert_refused!(result, IdentityError::WrongCredentials, "another's password does not open an account");
        identity.log_in(person, text).await.succeeds("logging in");
    }
}

/// As keyboards differ.
pub async fn a_password_is_the_same_however_its_letters_are_composed(identity: &Identity) {
    let ada = Person::new("ada");
    let composed = password("sept caf\u{e9}s tr\u{e8}s serr\u{e9}s");
    identity.provider.register_confirmed(ada.user, &ada.email, &composed).await.succeeds("setting a password");
    identity.log_in(&ada, "sept cafe\u{301}s tre\u{300}s serre\u{301}s").await.succeeds("logging in, decomposed");
}

/// However often, and for however long.
pub async fn guessing_elsewhere_keeps_nobody_out(identity: &Identity) {
    let ada = identity.made("ada").await;
    for _ in 0..4 {
        for _ in 0..8 {
            let guess = identity.log_in_from(&ada, OTHER, "elsewhere").await;
            assert!(
                matches!(guess, Err(IdentityError::WrongCredentials | IdentityError::Throttled { .. })),
                "a guess is refused, but the answer is {guess:?}"
            );
        }
        identity.log_in(&ada, GOOD).await.succeeds("logging in from where nobody guesses");
        (identity.pass)(15 * MINUTE);
    }
}

/// Whichever of them is faster at what.
pub async fn a_log_in_with_the_old_password_leaves_no_session_behind_a_new_one(identity: &Identity) {
    let ada = identity.made("ada").await;
    identity.forget(&ada).await;
    let link = identity.link(&ada).await;
    let places: Vec<String> = (0..RACERS).map(|n| format!("place {n}")).collect();
    let log_ins = join_all(places.iter().map(|place| identity.log_in_from(&ada, GOOD, place)));
    let (log_ins, reset) = join(log_ins, identity.reset(&ada, &link, OTHER)).await;
    reset.succeeds("setting a new password");
    for log_in in log_ins.into_iter().flatten() {
        assert_eq!(identity.opened(&log_in).await, None, "no session outlives the password that opened it");
    }
    assert_eq!(identity.sessions(&ada).await, [], "no session is left");
}

/// Nothing else opens it.
pub async fn a_token_opens_its_own_session(identity: &Identity) {
    let ada = identity.made("ada").await;
    let [first, second] = [identity.logged_in(&ada).await, identity.logged_in(&ada).await];
    assert_eq!(identity.opened(&first).await.as_ref(), Some(&first.session), "a token opens its session");
    assert_eq!(identity.opened(&second).await.as_ref(), Some(&second.session), "a token opens its session");
    for wrong in [String::new(), first.session.id.to_string(), mistyped(first.token.expose()), "\u{0}".repeat(99)] {
        let opened = identity.provider.authenticate(&SecretToken::from_client(&wrong)).await;
        assert_eq!(opened.succeeds("trying a token"), None, "a wrong token opens nothing");
    }
}

/// And one that is used goes on.
pub async fn a_session_ends_when_it_is_not_used(identity: &Identity) {
    let ada = identity.made("ada").await;
    let [used, unused] = [identity.logged_in(&ada).await, identity.logged_in(&ada).await];
    (identity.pass)(Session::IDLE - MINUTE);
    assert!(identity.opened(&used).await.is_some(), "a session goes on until it is idle for too long");
    (identity.pass)(2 * MINUTE);
    assert_eq!(identity.opened(&unused).await, None, "a session ends when it is not used");
    assert_eq!(identity.sessions(&ada).await, [used.session.id], "an ended session is not listed");
    (identity.pass)(Session::IDLE - 4 * MINUTE);
    assert!(identity.opened(&used).await.is_some(), "a use keeps a session going");
}

/// Some time one has to log in.
pub async fn a_session_ends_however_much_it_is_used(identity: &Identity) {
    let ada = identity.made("ada").await;
    let log_in = identity.logged_in(&ada).await;
    let days = u32::try_from(Session::ABSOLUTE.as_secs() / DAY.as_secs()).expect("a month has few days");
    for _ in 1..days {
        (identity.pass)(DAY);
        assert!(identity.opened(&log_in).await.is_some(), "a session that is used goes on");
    }
    (identity.pass)(DAY);
    assert_eq!(identity.opened(&log_in).await, None, "a session ends however much it is used");
    assert_eq!(identity.sessions(&ada).await, [], "an ended session is not listed");
}

/// Before something grave.
pub async fn the_password_of_who_is_logged_in_can_be_checked(identity: &Identity) {
    let (ada, nobody) = (identity.made("ada").await, Person::new("nobody"));
    let check = async |person: &Person, text: &str| {
        identity.provider.verify_password(person.user, &person.email, &password(text)).await
    };
    check(&ada, GOOD).await.succeeds("checking the right password");
    assert_refused!(check(&ada, OTHER).await, IdentityError::WrongCredentials, "a wrong password is refused");
    assert_refused!(check(&nobody, GOOD).await, IdentityError::WrongCredentials, "nobody has no password");
}

/// Only one's own.
pub async fn live_sessions_are_listed_last_created_first(identity: &Identity) {
    let (ada, bob) = (identity.made("ada").await, identity.made("bob").await);
    let mut log_ins = Vec::new();
    for _ in 0..3 {
        log_ins.push(identity.logged_in(&ada).await.session.id);
        (identity.pass)(MINUTE);
    }
    identity.logged_in(&bob).await;
    log_ins.reverse();
    assert_eq!(identity.sessions(&ada).await, log_ins, "live sessions are listed, last created first");
}

/// Knowing the id of another's helps nobody.
pub async fn a_session_of_the_user_ends_and_no_other(identity: &Identity) {
    let (ada, bob) = (identity.made("ada").await, identity.made("bob").await);
    let [gone, stays] = [identity.logged_in(&ada).await, identity.logged_in(&ada).await];
    identity.provider.end_session(bob.user, gone.session.id).await.succeeds("ending another's session");
    assert!(identity.opened(&gone).await.is_some(), "another's session stays");
    for _ in 0..2 {
        identity.provider.end_session(ada.user, gone.session.id).await.succeeds("ending a session");
    }
    assert_eq!(identity.opened(&gone).await, None, "an ended session opens nothing");
    assert!(identity.opened(&stays).await.is_some(), "the others stay");
}

/// All, or all but one; nobody else's.
pub async fn all_sessions_end_but_the_one_named(identity: &Identity) {
    let (ada, bob) = (identity.made("ada").await, identity.made("bob").await);
    let others = identity.logged_in(&bob).await;
    let [first, second, third] =
        [identity.logged_in(&ada).await, identity.logged_in(&ada).await, identity.logged_in(&ada).await];
    identity.provider.end_sessions(ada.user, Some(second.session.id)).await.succeeds("ending all sessions but one");
    assert_eq!(identity.sessions(&ada).await, [second.session.id], "all end but the one named");
    for log_in in [&first, &third] {
        assert_eq!(identity.opened(log_in).await, None, "an ended session opens nothing");
    }
    identity.provider.end_sessions(ada.user, None).await.succeeds("ending all sessions");
    assert_eq!(identity.opened(&second).await, None, "without one named, all end");
    assert!(identity.opened(&others).await.is_some(), "another's sessions stay");
}

/// And says whose it is.
pub async fn a_link_sets_a_new_password_once_and_ends_every_session(identity: &Identity) {
    let ada = identity.made("ada").await;
    let [here, there] = [identity.logged_in(&ada).await, identity.logged_in(&ada).await];
    identity.forget(&ada).await;
    let link = identity.link(&ada).await;
    assert!(identity.opened(&here).await.is_some(), "asking for a link ends nothing");
    assert_eq!(identity.reset(&ada, &link, OTHER).await.succeeds("setting a new password"), ada.user, "whose it is");
    for log_in in [&here, &there] {
        assert_eq!(identity.opened(log_in).await, None, "every session ends");
    }
    assert_refused!(identity.log_in(&ada, GOOD).await, IdentityError::WrongCredentials, "the old password is void");
    let opened = identity.log_in(&ada, OTHER).await.succeeds("logging in with the new password");
    assert_refused!(identity.reset(&ada, &link, GOOD).await, IdentityError::WrongCode, "a link works once");
    assert!(identity.opened(&opened).await.is_some(), "a used link ends nothing");
}

/// Of two links the later one works.
pub async fn another_link_replaces_the_one_before(identity: &Identity) {
    let ada = identity.made("ada").await;
    identity.forget(&ada).await;
    let first = identity.link(&ada).await;
    identity.forget(&ada).await;
    let second = identity.link(&ada).await;
    assert_refused!(identity.reset(&ada, &first, OTHER).await, IdentityError::WrongCode, "the link before is void");
    identity.reset(&ada, &second, OTHER).await.succeeds("setting a new password by the last link");
}

/// However often one is tried.
pub async fn a_wrong_link_sets_nothing_and_leaves_the_right_one_good(identity: &Identity) {
    let (ada, nobody) = (identity.made("ada").await, Person::new("nobody"));
    let session = identity.logged_in(&ada).await;
    identity.forget(&ada).await;
    let link = identity.link(&ada).await;
    for wrong in [mistyped(&link), String::new(), "\u{0}".repeat(99)] {
        for result in join_all((0..40).map(|_| identity.reset(&ada, &wrong, OTHER))).await {
            assert_refused!(result, IdentityError::WrongCode, "a wrong link is refused");
        }
        let result = identity.reset(&nobody, &wrong, OTHER).await;
        assert_refused!(result, IdentityError::WrongCode, "a link of nobody is refused");
    }
    assert!(identity.opened(&session).await.is_some(), "a wrong link ends no session");
    assert_refused!(identity.log_in(&ada, OTHER).await, IdentityError::WrongCredentials, "a wrong link sets nothing");
    identity.reset(&ada, &link, OTHER).await.succeeds("setting a new password by the right link");
}

/// Nor is a code one.
pub async fn a_link_is_good_for_its_own_address_and_purpose(identity: &Identity) {
    let (ada, bob, eve) =
        (identity.made("ada").await, identity.made("bob").await, identity.signed_up("eve", GOOD).await);
    for person in [&ada, &bob] {
        identity.forget(person).await;
    }
    let (link, code) = (identity.link(&ada).await, identity.code(&eve).await);
    assert_refused!(identity.reset(&bob, &link, OTHER).await, IdentityError::WrongCode, "it is another's");
    assert_refused!(identity.reset(&eve, &code, OTHER).await, IdentityError::WrongCode, "a code is no link");
    assert_refused!(identity.confirm(&ada, &link).await, IdentityError::WrongCode, "a link is no code");
    identity.confirm(&eve, &code).await.succeeds("confirming");
    identity.reset(&ada, &link, OTHER).await.succeeds("setting a new password");
    identity.log_in(&bob, GOOD).await.succeeds("logging in as before");
}

/// Whoever finds an old mail cannot use it.
pub async fn a_link_ends_within_a_day(identity: &Identity) {
    let ada = identity.made("ada").await;
    identity.forget(&ada).await;
    let link = identity.link(&ada).await;
    (identity.pass)(DAY + MINUTE);
    assert_refused!(identity.reset(&ada, &link, OTHER).await, IdentityError::WrongCode, "a link ends within a day");
    identity.log_in(&ada, GOOD).await.succeeds("logging in as before");
}

/// One chooses another and goes on.
pub async fn a_refused_password_leaves_a_link_good(identity: &Identity) {
    let ada = identity.made("ada").await;
    let session = identity.logged_in(&ada).await;
    identity.forget(&ada).await;
    let link = identity.link(&ada).await;
    for _ in 0..2 {
        let result = identity.reset(&ada, &link, SHORT).await;
        assert_refused!(result, IdentityError::UnacceptablePassword(_), "a password that breaks the rules is refused");
    }
    assert!(identity.opened(&session).await.is_some(), "a refused password ends no session");
    identity.reset(&ada, &link, OTHER).await.succeeds("setting a better one");
}

/// Nobody is told that theirs counts when it is another's.
pub async fn of_many_who_use_one_link_one_is_accepted_and_theirs_counts(identity: &Identity) {
    let ada = identity.made("ada").await;
    identity.forget(&ada).await;
    let link = identity.link(&ada).await;
    let passwords: Vec<String> = (0..RACERS).map(|n| format!("{n} loud flamingos and more")).collect();
    let set = join_all(passwords.iter().map(|text| identity.reset(&ada, &link, text))).await;
    let set: Vec<Result<(), IdentityError>> = set.into_iter().map(|set| set.map(drop)).collect();
    let won = winners(&set, |error| matches!(error, IdentityError::WrongCode));
    assert_eq!(won, 1, "one of {RACERS} is accepted");
    let winner = set.iter().position(Result::is_ok).expect("one won");
    identity.log_in(&ada, &passwords[winner]).await.succeeds("logging in with the password that was accepted");
}

/// And the old one is void.
pub async fn a_new_password_ends_every_session_but_the_one_named(identity: &Identity) {
    let ada = identity.made("ada").await;
    let [here, there] = [identity.logged_in(&ada).await, identity.logged_in(&ada).await];
    identity.change(&ada, GOOD, OTHER, Some(here.session.id)).await.succeeds("changing the password");
    assert!(identity.opened(&here).await.is_some(), "the session that is named stays");
    assert_eq!(identity.opened(&there).await, None, "every other ends");
    assert_refused!(identity.log_in(&ada, GOOD).await, IdentityError::WrongCredentials, "the old password is void");
    identity.log_in(&ada, OTHER).await.succeeds("logging in with the new password");
    identity.change(&ada, OTHER, GOOD, None).await.succeeds("changing it back");
    assert_eq!(identity.sessions(&ada).await, [], "without one named, every session ends");
}

/// Neither password nor sessions.
pub async fn a_change_that_is_refused_changes_nothing(identity: &Identity) {
    let ada = identity.made("ada").await;
    let session = identity.logged_in(&ada).await;
    let result = identity.change(&ada, OTHER, "eleven calm penguins", None).await;
    assert_refused!(result, IdentityError::WrongCredentials, "the old password has to be right");
    let result = identity.change(&ada, GOOD, SHORT, None).await;
    assert_refused!(result, IdentityError::UnacceptablePassword(_), "the new one has to meet the rules");
    assert!(identity.opened(&session).await.is_some(), "sessions stay");
    identity.log_in(&ada, GOOD).await.succeeds("logging in as before");
}

/// And theirs counts.
pub async fn of_many_who_change_one_password_one_is_accepted(identity: &Identity) {
    let ada = identity.made("ada").await;
    let passwords: Vec<String> = (0..RACERS).map(|n| format!("{n} loud flamingos and more")).collect();
    let changed = join_all(passwords.iter().map(|new| identity.change(&ada, GOOD, new, None))).await;
    let won =
        winners(&changed, |error| matches!(error, IdentityError::WrongCredentials | IdentityError::Throttled { .. }));
    assert_eq!(won, 1, "one of {RACERS} is accepted");
    let winner = changed.iter().position(Result::is_ok).expect("one won");
    identity.log_in(&ada, &passwords[winner]).await.succeeds("logging in with the password that was accepted");
}

/// Neither password nor session, code nor link; and another's stays.
pub async fn a_removed_identity_leaves_nothing(identity: &Identity) {
    let (ada, bob, eve) =
        (identity.made("ada").await, identity.made("bob").await, identity.signed_up("eve", GOOD).await);
    let (hers, his) = (identity.logged_in(&ada).await, identity.logged_in(&bob).await);
    identity.forget(&ada).await;
    let (link, code) = (identity.link(&ada).await, identity.code(&eve).await);
    for person in [&ada, &eve] {
        identity.provider.remove(person.user, &person.email).await.succeeds("removing an identity");
    }
    assert_eq!(identity.opened(&hers).await, None, "no session is left");
    assert_eq!(identity.sessions(&ada).await, [], "no session is left");
    assert_refused!(identity.log_in(&ada, GOOD).await, IdentityError::WrongCredentials, "no password is left");
    assert_refused!(identity.reset(&ada, &link, OTHER).await, IdentityError::WrongCode, "no link is left");
    assert_refused!(identity.confirm(&eve, &code).await, IdentityError::WrongCode, "no code is left");
    assert!(identity.opened(&his).await.is_some(), "another's sessions stay");
    identity.log_in(&bob, GOOD).await.succeeds("logging in as another");

    // What was waiting there decides nothing for whoever comes to the address next.
    let next = Person { user: Things::new().owner(), email: eve.email.clone() };
    identity.sign_up(&next, OTHER).await.succeeds("signing up with the address again");
    identity.confirm(&next, &identity.code(&next).await).await.succeeds("confirming it");
    identity.log_in(&next, OTHER).await.succeeds("logging in");
}

/// A removal can be sent twice.
pub async fn removing_an_absent_identity_succeeds(identity: &Identity) {
    let nobody = Person::new("nobody");
    identity.provider.remove(nobody.user, &nobody.email).await.succeeds("removing who never was");
    let ada = identity.made("ada").await;
    for _ in 0..2 {
        identity.provider.remove(ada.user, &ada.email).await.succeeds("removing an identity");
    }
}

/// Somebody with an address.
struct Person {
    user: UserId,
    email: EmailAddress,
}

impl Person {
    /// Whom the name stands for, each time the same.
    fn new(name: &str) -> Self {
        let digest = crate::Sha256Digest::of(name.as_bytes());
        let user = uuid::Builder::from_random_bytes(digest.as_bytes()[..16].try_into().expect("16 bytes")).into_uuid();
        Self { user: UserId::from_uuid(user), email: format!("{name}@example.org").parse().expect("an address") }
    }
}

impl Identity {
    async fn sign_up(&self, person: &Person, text: &str) -> Result<(), IdentityError> {
        self.provider.register(person.user, &person.email, &password(text)).await
    }

    async fn signed_up(&self, name: &str, text: &str) -> Person {
        let person = Person::new(name);
        self.sign_up(&person, text).await.succeeds("signing up");
        person
    }

    /// Somebody whose password is the good one.
    async fn made(&self, name: &str) -> Person {
        let person = Person::new(name);
        let made = self.provider.register_confirmed(person.user, &person.email, &password(GOOD)).await;
        made.succeeds("making an identity");
        person
    }

    async fn mails(&self, person: &Person) -> Vec<Mailed> {
        (self.mailed)(person.email.clone()).await
    }

    /// The code that was mailed last.
    async fn code(&self, person: &Person) -> String {
        let mails = self.mails(person).await;
        let mut codes =
            mails.into_iter().filter_map(|mail| if let Mailed::Code(code) = mail { Some(code) } else { None });
        codes.next_back().expect("a code is mailed")
    }

    /// The token of the link that was mailed last.
    async fn link(&self, person: &Person) -> String {
        let mails = self.mails(person).await;
        let mut links =
            mails.into_iter().filter_map(|mail| if let Mailed::Link(link) = mail { Some(link) } else { None });
        links.next_back().expect("a link is mailed")
    }

    async fn confirm(&self, person: &Person, code: &str) -> Result<UserId, IdentityError> {
        self.provider.confirm(&person.email, code).await
    }

    async fn log_in(&self, person: &Person, text: &str) -> Result<LogIn, IdentityError> {
        self.log_in_from(person, text, "home").await
    }

    async fn log_in_from(&self, person: &Person, text: &str, origin: &str) -> Result<LogIn, IdentityError> {
        self.provider.log_in(Some(person.user), &person.email, &password(text), &client(origin)).await
    }

    async fn logged_in(&self, person: &Person) -> LogIn {
        self.log_in(person, GOOD).await.succeeds("logging in")
    }

    /// The session that a log-in's token opens now.
    async fn opened(&self, log_in: &LogIn) -> Option<Session> {
        self.provider.authenticate(&log_in.token).await.succeeds("trying a token")
    }

    async fn sessions(&self, person: &Person) -> Vec<SessionId> {
        let sessions = self.provider.sessions(person.user).await.succeeds("listing sessions");
        sessions.iter().map(|session| session.id).collect()
    }

    /// Asks for a link, not too soon after another.
    async fn forget(&self, person: &Person) {
        (self.pass)(MINUTE);
        self.provider.forgot_password(Some(person.user), &person.email).await.succeeds("asking for a link");
    }

    async fn reset(&self, person: &Person, link: &str, text: &str) -> Result<UserId, IdentityError> {
        self.provider.reset_password(&person.email, link, &password(text), &client("home")).await
    }

    async fn change(
        &self,
        person: &Person,
        old: &str,
        new: &str,
        keep: Option<SessionId>,
    ) -> Result<(), IdentityError> {
        self.provider.change_password(person.user, &person.email, &password(old), &password(new), keep).await
    }
}

fn password(text: &str) -> Password {
    Password::parse(text).expect("a password")
}

fn client(origin: &str) -> Client {
    Client { origin: Some(origin.to_owned()), label: ClientLabel::new("Firefox on Linux") }
}

/// The same with another first character of its kind.
fn mistyped(secret: &str) -> String {
    let first = if secret.starts_with('1') { '2' } else { '1' };
    secret.chars().take(1).map(|_| first).chain(secret.chars().skip(1)).collect()
}
