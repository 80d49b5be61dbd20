//! What a [`CredentialRepository`](crate::ports::CredentialRepository) owes.

use std::time::Duration;

use futures_util::future::join_all;

use super::expectations::Succeeds;
use super::fixtures::{RACERS, Things};
use crate::ports::Repositories;
use crate::{
    CodePurpose, CodeTry, Credential, EmailAddress, OneTimeCode, PasswordHash, Sha256Digest, Timestamp, UserId,
};

/// Runs each clause on credentials as a test: takes an expression for a fresh `Repositories` or a [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! credential_repository_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            credential_repository,
            $crate::ports::Repositories,
            $fixture,
            [
                a_credential_is_found_as_put,
                an_absent_credential_is_not_found,
                a_credential_takes_the_place_of_the_one_before,
                a_credential_is_replaced_while_it_is_the_one_that_was_read,
                of_concurrent_replacements_of_a_credential_one_wins,
                a_right_code_is_accepted_once,
                of_concurrent_tries_of_a_code_one_is_accepted,
                a_wrong_code_is_refused_and_costs_a_try,
                a_right_code_is_refused_once_the_tries_are_used_up,
                concurrent_wrong_tries_never_exceed_those_left,
                a_code_works_until_it_expires,
                a_code_is_bound_to_purpose_and_address,
                a_new_code_takes_the_place_of_the_one_before,
                a_code_is_found_as_put,
                a_code_is_replaced_while_it_is_the_one_that_was_read,
                of_concurrent_replacements_of_a_code_one_wins,
                an_accepted_code_sets_the_password_that_it_brings,
                a_password_that_comes_with_a_try_counts_before_the_one_that_the_code_brings,
                of_concurrent_tries_with_a_password_that_of_the_accepted_one_counts,
                a_refused_code_sets_no_password,
                an_absent_code_is_refused,
                removing_a_user_takes_credential_and_codes,
                removing_absent_credentials_succeeds,
            ]
        );
    };
}

/// Every field of it.
pub async fn a_credential_is_found_as_put(store: &Repositories) {
    let things = Things::new();
    for at in [Timestamp::from_millis(-1), things.at(5)] {
        let credential = Credential {
            user: things.owner(),
            password: hash("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$'\";--"),
            changed_at: at,
        };
        store.credentials.put(&credential).await.succeeds("putting a credential");
        let found = store.credentials.find(credential.user).await.succeeds("finding a credential");
        assert_eq!(found, Some(credential), "a credential comes back as it was put");
    }
}

/// A look-up of what is absent answers `None`.
pub async fn an_absent_credential_is_not_found(store: &Repositories) {
    let things = Things::new();
    put(store, things.owner(), "other").await;
    let nobody = things.owner();
    let found = store.credentials.find(nobody).await.succeeds("finding a credential");
    assert_eq!(found, None, "another's credential is not found");
    let new = Credential { user: nobody, password: hash("new"), changed_at: things.at(1) };
    assert!(!replace(store, &new, "other").await, "an absent credential is not replaced");
    let found = store.credentials.find(nobody).await.succeeds("finding a credential");
    assert_eq!(found, None, "replacing an absent credential makes none");
}

/// One a user; another's stays.
pub async fn a_credential_takes_the_place_of_the_one_before(store: &Repositories) {
    let things = Things::new();
    let (user, other) = (things.owner(), things.owner());
    for password in ["old", "new"] {
        put(store, user, password).await;
        put(store, other, "other").await;
    }
    assert_eq!(password_of(store, user).await, Some(hash("new")), "the last credential counts");
    assert_eq!(password_of(store, other).await, Some(hash("other")), "another's credential stays");
}

/// Whoever checked another one has to look again.
pub async fn a_credential_is_replaced_while_it_is_the_one_that_was_read(store: &Repositories) {
    let things = Things::new();
    let (user, other) = (things.owner(), things.owner());
    put(store, user, "old").await;
    put(store, other, "old").await;
    let new = Credential { user, password: hash("new"), changed_at: things.at(9) };
    assert!(replace(store, &new, "old").await, "a credential that is the old one is replaced");
    let found = store.credentials.find(user).await.succeeds("finding a credential");
    assert_eq!(found.as_ref(), Some(&new), "every field is replaced");
    let newer = Credential { password: hash("newer"), changed_at: things.at(10), ..new.clone() };
    assert!(!replace(store, &newer, "old").await, "a credential that is no longer the old one is not replaced");
    let found = store.credentials.find(user).await.succeeds("finding a credential");
    assert_eq!(found, Some(new), "what is not replaced stays");
    assert_eq!(password_of(store, other).await, Some(hash("old")), "another's credential stays");
}

/// Of several, each with a hash of its own.
pub async fn of_concurrent_replacements_of_a_credential_one_wins(store: &Repositories) {
    let things = Things::new();
    let user = things.owner();
    put(store, user, "old").await;
    let new: Vec<Credential> = (0..RACERS)
        .map(|n| Credential { user, password: hash(&n.to_string()), changed_at: things.at(n as u64) })
        .collect();
    let replaced = join_all(new.iter().map(|new| replace(store, new, "old"))).await;
    assert_eq!(replaced.iter().filter(|replaced| **replaced).count(), 1, "one of {RACERS} replacements wins");
    let winner = replaced.iter().position(|replaced| *replaced).expect("one won");
    let found = store.credentials.find(user).await.succeeds("finding a credential");
    assert_eq!(found.as_ref(), Some(&new[winner]), "the credential that won is there");
}

/// It says whose it is, and is used up.
pub async fn a_right_code_is_accepted_once(store: &Repositories) {
    let things = Things::new();
    let code = put_code(store, &things, "ada@example.org").await;
    assert_eq!(try_code(store, &code).await, CodeTry::Accepted(code.user), "a right code is accepted");
    assert_eq!(try_code(store, &code).await, CodeTry::Refused, "a code works once");
}

/// One at most is accepted.
pub async fn of_concurrent_tries_of_a_code_one_is_accepted(store: &Repositories) {
    let things = Things::new();
    let code = put_code(store, &things, "ada@example.org").await;
    let tries = join_all((0..RACERS).map(|_| try_code(store, &code))).await;
    let accepted = tries.iter().filter(|tried| matches!(tried, CodeTry::Accepted(_))).count();
    assert_eq!(accepted, 1, "one of {RACERS} tries at once is accepted");
}

/// A typing error is no disaster.
pub async fn a_wrong_code_is_refused_and_costs_a_try(store: &Repositories) {
    let things = Things::new();
    let code = put_code(store, &things, "ada@example.org").await;
    for _ in 1..code.tries_left {
        assert_eq!(try_wrong(store, &code).await, CodeTry::Refused, "a wrong code is refused");
    }
    assert_eq!(
        try_code(store, &code).await,
        CodeTry::Accepted(code.user),
        "with a try left, the right code is accepted"
    );
}

/// Guessing ends.
pub async fn a_right_code_is_refused_once_the_tries_are_used_up(store: &Repositories) {
    let things = Things::new();
    let code = put_code(store, &things, "ada@example.org").await;
    for _ in 0..code.tries_left {
        try_wrong(store, &code).await;
    }
    for _ in 0..2 {
        assert_eq!(try_code(store, &code).await, CodeTry::Refused, "without a try left, the right code is refused");
    }
    let spent = OneTimeCode { tries_left: 0, ..code };
    store.credentials.put_code(&spent).await.succeeds("putting a code");
    assert_eq!(try_code(store, &spent).await, CodeTry::Refused, "a code that never had a try is refused");
}

/// However many guess at once, no more guesses are looked at than there are tries.
pub async fn concurrent_wrong_tries_never_exceed_those_left(store: &Repositories) {
    let things = Things::new();
    let code = put_code(store, &things, "ada@example.org").await;
    join_all((0..RACERS).map(|_| try_wrong(store, &code))).await;
    assert_eq!(
        try_code(store, &code).await,
        CodeTry::Refused,
        "{RACERS} wrong tries at once use up {}",
        code.tries_left
    );
    // As many wrong ones as leave one try: none of them may count twice.
    store.credentials.put_code(&code).await.succeeds("putting a code");
    join_all((1..code.tries_left).map(|_| try_wrong(store, &code))).await;
    assert_eq!(try_code(store, &code).await, CodeTry::Accepted(code.user), "each wrong try costs one try");
}

/// Compared with the caller's clock, to the millisecond.
pub async fn a_code_works_until_it_expires(store: &Repositories) {
    let things = Things::new();
    let code = put_code(store, &things, "ada@example.org").await;
    let try_at = async |now: Timestamp| {
        store.credentials.try_code(code.purpose, &code.address, &code.hash, None, now).await.succeeds("trying a code")
    };
    assert_eq!(
        try_at(code.expires_at.plus(Duration::from_secs(9))).await,
        CodeTry::Refused,
        "an expired code is refused"
    );
    assert_eq!(try_at(code.expires_at).await, CodeTry::Refused, "a code has expired at the time it expires");
    store.credentials.put_code(&code).await.succeeds("putting a code");
    let last = code.expires_at.minus(Duration::from_millis(1));
    assert_eq!(try_at(last).await, CodeTry::Accepted(code.user), "a code works until then");
}

/// Elsewhere the same code is a wrong one.
pub async fn a_code_is_bound_to_purpose_and_address(store: &Repositories) {
    let things = Things::new();
    let code = put_code(store, &things, "ada@example.org").await;
    let bob = put_code(store, &things, "bob@example.org").await;
    let elsewhere = [
        OneTimeCode { purpose: CodePurpose::ResetPassword, ..code.clone() },
        OneTimeCode { address: bob.address.clone(), hash: code.hash, ..code.clone() },
        OneTimeCode { address: address("ada@example.com"), ..code.clone() },
    ];
    for elsewhere in &elsewhere {
        assert_eq!(try_code(store, elsewhere).await, CodeTry::Refused, "a code works for its purpose and address only");
    }
    let reset = OneTimeCode { purpose: CodePurpose::ResetPassword, hash: Sha256Digest::of(b"reset"), ..code.clone() };
    store.credentials.put_code(&reset).await.succeeds("putting a code");
    for code in [code, reset, bob] {
        assert_eq!(try_code(store, &code).await, CodeTry::Accepted(code.user), "each code works for itself");
    }
}

/// With its own tries, time and user.
pub async fn a_new_code_takes_the_place_of_the_one_before(store: &Repositories) {
    let things = Things::new();
    let old = put_code(store, &things, "ada@example.org").await;
    try_wrong(store, &old).await;
    let new = OneTimeCode { hash: Sha256Digest::of(b"new"), tries_left: 2, user: things.owner(), ..old.clone() };
    store.credentials.put_code(&new).await.succeeds("putting a code");
    assert_eq!(try_code(store, &old).await, CodeTry::Refused, "the code before stops working");
    assert_eq!(try_code(store, &new).await, CodeTry::Accepted(new.user), "the new code works, with its own tries");
}

/// Every field of it, whatever became of it.
pub async fn a_code_is_found_as_put(store: &Repositories) {
    let things = Things::new();
    let plain = put_code(store, &things, "ada@example.org").await;
    let spent = OneTimeCode { tries_left: 0, expires_at: Timestamp::from_millis(-1), ..plain.clone() };
    let bringing = OneTimeCode { password: Some(hash("$argon2id$'\";--")), ..plain.clone() };
    for code in [spent, bringing, plain] {
        store.credentials.put_code(&code).await.succeeds("putting a code");
        assert_eq!(find_code(store, &code).await, Some(code), "a code is found as it was put");
    }
    let absent = [
        code(&things, "bob@example.org"),
        OneTimeCode { purpose: CodePurpose::ResetPassword, ..code(&things, "ada@example.org") },
    ];
    for absent in absent {
        assert_eq!(find_code(store, &absent).await, None, "a code that was never put is not found");
    }
}

/// Whoever read another one has to look again.
pub async fn a_code_is_replaced_while_it_is_the_one_that_was_read(store: &Repositories) {
    let things = Things::new();
    let bob = put_code(store, &things, "bob@example.org").await;
    let first = code(&things, "ada@example.org");
    let second = OneTimeCode { hash: Sha256Digest::of(b"second"), password: Some(hash("second")), ..first.clone() };
    let third = OneTimeCode { hash: Sha256Digest::of(b"third"), user: things.owner(), tries_left: 2, ..first.clone() };
    assert!(!replace_code(store, &second, Some(&first)).await, "an absent code is not replaced");
    assert_eq!(find_code(store, &first).await, None, "what is not replaced stays absent");
    assert!(replace_code(store, &first, None).await, "where there is none, a code is set");
    assert!(!replace_code(store, &second, None).await, "where there is one, none is set");
    assert!(replace_code(store, &second, Some(&first)).await, "the code that was read is replaced");
    assert!(!replace_code(store, &third, Some(&first)).await, "another than the one that was read is not replaced");
    assert_eq!(find_code(store, &first).await.as_ref(), Some(&second), "what is not replaced stays");
    try_wrong(store, &second).await;
    assert!(replace_code(store, &third, Some(&second)).await, "a wrong try makes no other code of it");
    assert_eq!(find_code(store, &first).await, Some(third), "every field is replaced");
    assert_eq!(find_code(store, &bob).await, Some(bob), "another's code stays");
}

/// Of several that read the same.
pub async fn of_concurrent_replacements_of_a_code_one_wins(store: &Repositories) {
    let things = Things::new();
    let mut kept = None;
    for round in 0..2 {
        let new: Vec<OneTimeCode> = (0..RACERS)
            .map(|n| OneTimeCode {
                hash: Sha256Digest::of(format!("{round} {n}").as_bytes()),
                ..code(&things, "ada@example.org")
            })
            .collect();
        let replaced = join_all(new.iter().map(|new| replace_code(store, new, kept.as_ref()))).await;
        assert_eq!(replaced.iter().filter(|replaced| **replaced).count(), 1, "one of {RACERS} replacements wins");
        let winner = &new[replaced.iter().position(|replaced| *replaced).expect("one won")];
        kept = find_code(store, winner).await;
        assert_eq!(kept.as_ref(), Some(winner), "the code that won is there");
    }
}

/// Not before; and a code that brings none leaves the password as it is.
pub async fn an_accepted_code_sets_the_password_that_it_brings(store: &Repositories) {
    let things = Things::new();
    for before in [None, Some("old")] {
        let code = OneTimeCode { password: Some(hash("new")), ..code(&things, "ada@example.org") };
        if let Some(before) = before {
            put(store, code.user, before).await;
        }
        store.credentials.put_code(&code).await.succeeds("putting a code");
        assert_eq!(password_of(store, code.user).await, before.map(hash), "a code that waits sets nothing");
        assert_eq!(try_code(store, &code).await, CodeTry::Accepted(code.user), "a right code is accepted");
        let found = store.credentials.find(code.user).await.succeeds("finding a credential");
        let expected = Credential { user: code.user, password: hash("new"), changed_at: just_before_the_end_of(&code) };
        assert_eq!(found, Some(expected), "an accepted code sets the password that it brings");

        let bare = OneTimeCode { password: None, ..code.clone() };
        store.credentials.put_code(&bare).await.succeeds("putting a code");
        assert_eq!(try_code(store, &bare).await, CodeTry::Accepted(code.user), "a right code is accepted");
        assert_eq!(password_of(store, code.user).await, Some(hash("new")), "a code without a password leaves it");
    }
}

/// In the write that uses the code up; also where the user had one, and where the code brings none.
pub async fn a_password_that_comes_with_a_try_counts_before_the_one_that_the_code_brings(store: &Repositories) {
    let things = Things::new();
    for (before, brought) in
        [(None, None), (Some("old"), None), (None, Some("brought")), (Some("old"), Some("brought"))]
    {
        let code = OneTimeCode { password: brought.map(hash), ..code(&things, "ada@example.org") };
        if let Some(before) = before {
            put(store, code.user, before).await;
        }
        store.credentials.put_code(&code).await.succeeds("putting a code");
        let wrong = OneTimeCode { hash: Sha256Digest::of(b"wrong"), ..code.clone() };
        assert_eq!(try_with(store, &wrong, "new").await, CodeTry::Refused, "a wrong code is refused");
        assert_eq!(password_of(store, code.user).await, before.map(hash), "a wrong code sets no password");
        assert_eq!(try_with(store, &code, "new").await, CodeTry::Accepted(code.user), "a right code is accepted");
        let found = store.credentials.find(code.user).await.succeeds("finding a credential");
        let expected = Credential { user: code.user, password: hash("new"), changed_at: just_before_the_end_of(&code) };
        assert_eq!(found, Some(expected), "the password that came with the try is the user's");
        assert_eq!(try_with(store, &code, "newer").await, CodeTry::Refused, "a code works once");
        assert_eq!(password_of(store, code.user).await, Some(hash("new")), "a used code sets no password");
    }
}

/// Nobody is told that theirs counts when it is another's.
pub async fn of_concurrent_tries_with_a_password_that_of_the_accepted_one_counts(store: &Repositories) {
    let things = Things::new();
    let code = put_code(store, &things, "ada@example.org").await;
    let passwords: Vec<String> = (0..RACERS).map(|n| n.to_string()).collect();
    let tries = join_all(passwords.iter().map(|password| try_with(store, &code, password))).await;
    let accepted: Vec<usize> = (0..RACERS).filter(|n| matches!(tries[*n], CodeTry::Accepted(_))).collect();
    assert_eq!(accepted.len(), 1, "one of {RACERS} tries at once is accepted");
    assert_eq!(password_of(store, code.user).await, Some(hash(&passwords[accepted[0]])), "its password counts");
}

/// However it comes to be refused.
pub async fn a_refused_code_sets_no_password(store: &Repositories) {
    let things = Things::new();
    let code = OneTimeCode { password: Some(hash("new")), tries_left: 1, ..code(&things, "ada@example.org") };
    store.credentials.put_code(&code).await.succeeds("putting a code");
    let late = store.credentials.try_code(code.purpose, &code.address, &code.hash, None, code.expires_at).await;
    assert_eq!(late.succeeds("trying a code"), CodeTry::Refused, "a code is refused when it has expired");
    try_wrong(store, &code).await;
    assert_eq!(try_code(store, &code).await, CodeTry::Refused, "a code without a try left is refused");
    assert_eq!(password_of(store, code.user).await, None, "a refused code sets no password");
}

/// Which of the reasons it is, is nobody's business.
pub async fn an_absent_code_is_refused(store: &Repositories) {
    let things = Things::new();
    let code = code(&things, "ada@example.org");
    for _ in 0..2 {
        assert_eq!(try_code(store, &code).await, CodeTry::Refused, "a code that was never mailed is refused");
    }
}

/// And nobody else's.
pub async fn removing_a_user_takes_credential_and_codes(store: &Repositories) {
    let things = Things::new();
    let ada = put_code(store, &things, "ada@example.org").await;
    let reset = OneTimeCode { purpose: CodePurpose::ResetPassword, ..ada.clone() };
    store.credentials.put_code(&reset).await.succeeds("putting a code");
    let bob = put_code(store, &things, "bob@example.org").await;
    for user in [ada.user, bob.user] {
        put(store, user, "password").await;
    }
    store.credentials.remove(ada.user).await.succeeds("removing credentials");
    assert_eq!(password_of(store, ada.user).await, None, "a removed credential is gone");
    for code in [&ada, &reset] {
        assert_eq!(try_code(store, code).await, CodeTry::Refused, "the codes go with the credential");
    }
    assert_eq!(password_of(store, bob.user).await, Some(hash("password")), "another's credential stays");
    assert_eq!(try_code(store, &bob).await, CodeTry::Accepted(bob.user), "another's codes stay");
}

/// A delete can be sent twice.
pub async fn removing_absent_credentials_succeeds(store: &Repositories) {
    let things = Things::new();
    let user = things.owner();
    store.credentials.remove(user).await.succeeds("removing credentials that never were");
    put(store, user, "password").await;
    for _ in 0..2 {
        store.credentials.remove(user).await.succeeds("removing credentials");
    }
}

fn hash(phc: &str) -> PasswordHash {
    PasswordHash::from_phc(phc.to_owned())
}

fn address(text: &str) -> EmailAddress {
    text.parse().expect("an address")
}

async fn put(store: &Repositories, user: UserId, password: &str) {
    let credential = Credential { user, password: hash(password), changed_at: Timestamp::from_millis(7) };
    store.credentials.put(&credential).await.succeeds("putting a credential");
}

async fn replace(store: &Repositories, credential: &Credential, old: &str) -> bool {
    store.credentials.replace(credential, &hash(old)).await.succeeds("replacing a credential")
}

async fn password_of(store: &Repositories, user: UserId) -> Option<PasswordHash> {
    let found = store.credentials.find(user).await.succeeds("finding a credential");
    found.map(|credential| credential.password)
}

fn code(things: &Things, to: &str) -> OneTimeCode {
    OneTimeCode {
        purpose: CodePurpose::ConfirmEmail,
        address: address(to),
        user: things.owner(),
        hash: Sha256Digest::of(format!("code for {to}").as_bytes()),
        expires_at: things.at(600),
        tries_left: 5,
        password: None,
    }
}

async fn put_code(store: &Repositories, things: &Things, to: &str) -> OneTimeCode {
    let code = code(things, to);
    store.credentials.put_code(&code).await.succeeds("putting a code");
    code
}

async fn find_code(store: &Repositories, code: &OneTimeCode) -> Option<OneTimeCode> {
    store.credentials.find_code(code.purpose, &code.address).await.succeeds("finding a code")
}

async fn replace_code(store: &Repositories, code: &OneTimeCode, old: Option<&OneTimeCode>) -> bool {
    store.credentials.replace_code(code, old.map(|old| old.hash)).await.succeeds("replacing a code")
}

fn just_before_the_end_of(code: &OneTimeCode) -> Timestamp {
    code.expires_at.minus(Duration::from_secs(1))
}

async fn try_code(store: &Repositories, code: &OneTimeCode) -> CodeTry {
    let now = just_before_the_end_of(code);
    store.credentials.try_code(code.purpose, &code.address, &code.hash, None, now).await.succeeds("trying a code")
}

async fn try_with(store: &Repositories, code: &OneTimeCode, password: &str) -> CodeTry {
    let (now, password) = (just_before_the_end_of(code), hash(password));
    let tried = store.credentials.try_code(code.purpose, &code.address, &code.hash, Some(password), now).await;
    tried.succeeds("trying a code")
}

async fn try_wrong(store: &Repositories, code: &OneTimeCode) -> CodeTry {
    try_code(store, &OneTimeCode { hash: Sha256Digest::of(b"wrong"), ..code.clone() }).await
}
