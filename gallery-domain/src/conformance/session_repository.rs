//! What a [`SessionRepository`](crate::ports::SessionRepository) owes.

use std::time::Duration;

use futures_util::future::join_all;

use super::expectations::{Succeeds, winners};
use super::fixtures::{HOSTILE, RACERS, Things};
use crate::ports::{Repositories, RepositoryError};
use crate::{ClientLabel, Session, SessionId, UserId};

/// Runs each clause on sessions as a test: takes an expression for a fresh `Repositories` or a [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! session_repository_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            session_repository,
            $crate::ports::Repositories,
            $fixture,
            [
                a_session_is_found_by_its_token_as_inserted,
                a_session_is_found_by_no_other_token,
                a_taken_session_id_or_token_is_refused,
                of_concurrent_inserts_of_a_token_one_wins,
                a_touch_moves_the_last_use_forward_only,
                concurrent_touches_end_at_the_latest,
                a_touch_of_an_absent_session_makes_none,
                sessions_are_listed_last_created_first,
                a_removed_session_is_gone,
                removing_an_absent_session_succeeds,
                all_sessions_of_a_user_end_but_the_one_named,
                no_session_is_listed_touched_or_ended_by_another_user,
                expired_sessions_are_forgotten_and_live_ones_are_not,
                no_more_sessions_are_forgotten_than_asked_for,
            ]
        );
    };
}

/// Every field of it, whatever the client calls itself.
pub async fn a_session_is_found_by_its_token_as_inserted(store: &Repositories) {
    let things = Things::new();
    for label in HOSTILE {
        let session = Session {
            client: ClientLabel::new(label),
            last_seen_at: things.at(8),
            ..things.session(things.owner(), things.at(5))
        };
        insert(store, &session).await;
        let found = store.sessions.find_by_token(&session.token).await.succeeds("finding a session");
        assert_eq!(found, Some(session), "a session comes back as it was inserted");
    }
}

/// A look-up of what is absent answers `None`.
pub async fn a_session_is_found_by_no_other_token(store: &Repositories) {
    let things = Things::new();
    let user = things.owner();
    insert(store, &things.session(user, things.at(0))).await;
    let other = things.session(user, things.at(0));
    let found = store.sessions.find_by_token(&other.token).await.succeeds("finding a session");
    assert_eq!(found, None, "another token opens nothing");
}

/// Both are given once.
pub async fn a_taken_session_id_or_token_is_refused(store: &Repositories) {
    let things = Things::new();
    let session = things.session(things.owner(), things.at(0));
    insert(store, &session).await;
    let other = things.session(things.owner(), things.at(0));
    let result = store.sessions.insert(&Session { id: session.id, ..other.clone() }).await;
    assert_refused!(result, RepositoryError::AlreadyExists, "a taken id is refused");
    let result = store.sessions.insert(&Session { token: session.token, ..other.clone() }).await;
    assert_refused!(result, RepositoryError::AlreadyExists, "a taken token is refused");
    let found = store.sessions.find_by_token(&session.token).await.succeeds("finding a session");
    assert_eq!(found, Some(session), "the first session stays");
    assert_eq!(list(store, other.user).await, [], "refused sessions are not kept");
}

/// One token never opens two accounts.
pub async fn of_concurrent_inserts_of_a_token_one_wins(store: &Repositories) {
    let things = Things::new();
    let token = things.session(things.owner(), things.at(0)).token;
    let sessions: Vec<Session> =
        (0..RACERS).map(|_| Session { token, ..things.session(things.owner(), things.at(0)) }).collect();
    let results = join_all(sessions.iter().map(|session| store.sessions.insert(session))).await;
    let won = winners(&results, |error| matches!(error, RepositoryError::AlreadyExists));
    assert_eq!(won, 1, "one of {RACERS} sessions gets the token");
}

/// `last_seen_at` never goes back.
pub async fn a_touch_moves_the_last_use_forward_only(store: &Repositories) {
    let things = Things::new();
    let session = things.session(things.owner(), things.at(100));
    insert(store, &session).await;
    for (seen, last) in [(150, 150), (120, 150), (0, 150), (151, 151)] {
        store.sessions.touch(session.user, session.id, things.at(seen)).await.succeeds("touching a session");
        let found = store.sessions.find_by_token(&session.token).await.succeeds("finding a session");
        let expected = Session { last_seen_at: things.at(last), ..session.clone() };
        assert_eq!(found, Some(expected), "a touch at {seen} leaves the last use at {last}, and all else as it was");
    }
}

/// In whatever order they arrive.
pub async fn concurrent_touches_end_at_the_latest(store: &Repositories) {
    let things = Things::new();
    let session = things.session(things.owner(), things.at(0));
    insert(store, &session).await;
    let touches = (0..RACERS as u64).map(|n| store.sessions.touch(session.user, session.id, things.at(n * 7 % 32)));
    assert!(join_all(touches).await.iter().all(Result::is_ok), "touching at the same time succeeds for all");
    let found = store.sessions.find_by_token(&session.token).await.succeeds("finding a session").expect("it is there");
    assert_eq!(found.last_seen_at, things.at(31), "the latest of {RACERS} touches counts");
}

/// A session that was ended meanwhile stays ended.
pub async fn a_touch_of_an_absent_session_makes_none(store: &Repositories) {
    let things = Things::new();
    let session = things.session(things.owner(), things.at(0));
    store.sessions.touch(session.user, session.id, things.at(1)).await.succeeds("touching an absent session");
    assert_eq!(list(store, session.user).await, [], "a touch makes no session");
}

/// Last created first, by id where they were created at one time.
pub async fn sessions_are_listed_last_created_first(store: &Repositories) {
    let things = Things::new();
    let user = things.owner();
    assert_eq!(list(store, user).await, [], "who is nowhere logged in has no sessions");
    let sessions = [5, 9, 1].map(|at| things.session(user, things.at(at)));
    for session in &sessions {
        insert(store, session).await;
    }
    store.sessions.touch(user, sessions[2].id, things.at(50)).await.succeeds("touching a session");
    let [a, b, c] = sessions.map(|session| session.id);
    assert_eq!(ids(store, user).await, [b, a, c], "sessions are listed last created first, whenever they were used");
}

/// And opens nothing any more.
pub async fn a_removed_session_is_gone(store: &Repositories) {
    let things = Things::new();
    let user = things.owner();
    let [gone, stays] = [1, 2].map(|at| things.session(user, things.at(at)));
    for session in [&gone, &stays] {
        insert(store, session).await;
    }
    store.sessions.remove(user, gone.id).await.succeeds("removing a session");
    let found = store.sessions.find_by_token(&gone.token).await.succeeds("finding a session");
    assert_eq!(found, None, "the token of a removed session opens nothing");
    assert_eq!(list(store, user).await, [stays], "the user's other sessions stay");
    insert(store, &gone).await;
}

/// A delete can be sent twice.
pub async fn removing_an_absent_session_succeeds(store: &Repositories) {
    let things = Things::new();
    let session = things.session(things.owner(), things.at(0));
    store.sessions.remove(session.user, session.id).await.succeeds("removing a session that never was");
    store.sessions.remove_all(session.user, None).await.succeeds("removing no sessions");
    insert(store, &session).await;
    for _ in 0..2 {
        store.sessions.remove(session.user, session.id).await.succeeds("removing a session");
    }
}

/// All, or all but one; nobody else's.
pub async fn all_sessions_of_a_user_end_but_the_one_named(store: &Repositories) {
    let things = Things::new();
    let (user, other) = (things.owner(), things.owner());
    let sessions: Vec<Session> = (0..60).map(|n| things.session(user, things.at(n))).collect();
    for session in &sessions {
        insert(store, session).await;
    }
    let others = things.session(other, things.at(0));
    insert(store, &others).await;
    store.sessions.remove_all(user, Some(sessions[30].id)).await.succeeds("removing all sessions but one");
    assert_eq!(ids(store, user).await, [sessions[30].id], "all sessions but the one named end");
    let found = store.sessions.find_by_token(&sessions[3].token).await.succeeds("finding a session");
    assert_eq!(found, None, "the token of an ended session opens nothing");
    store.sessions.remove_all(user, Some(others.id)).await.succeeds("removing all sessions but another's");
    assert_eq!(list(store, user).await, [], "naming another's session spares none");
    insert(store, &sessions[0]).await;
    store.sessions.remove_all(user, None).await.succeeds("removing all sessions");
    assert_eq!(list(store, user).await, [], "without one named, all end");
    assert_eq!(list(store, other).await, [others], "another's sessions stay");
}

/// Knowing a session's id helps nobody.
pub async fn no_session_is_listed_touched_or_ended_by_another_user(store: &Repositories) {
    let things = Things::new();
    let (user, other) = (things.owner(), things.owner());
    let session = things.session(user, things.at(0));
    insert(store, &session).await;
    assert_eq!(list(store, other).await, [], "another's session is not listed");
    store.sessions.touch(other, session.id, things.at(99)).await.succeeds("touching another's session");
    store.sessions.remove(other, session.id).await.succeeds("removing another's session, which is absent to this user");
    let found = store.sessions.find_by_token(&session.token).await.succeeds("finding a session");
    assert_eq!(found, Some(session), "another's session is as it was");
}

/// By use and by age.
pub async fn expired_sessions_are_forgotten_and_live_ones_are_not(store: &Repositories) {
    let things = Things::new();
    let user = things.owner();
    let start = things.at(0);
    let idle = things.session(user, start);
    let used = Session { last_seen_at: start.plus(Session::IDLE), ..things.session(user, start) };
    let touched = things.session(user, start);
    let old = Session { last_seen_at: start.plus(Session::ABSOLUTE), ..things.session(user, start) };
    for session in [&idle, &used, &touched, &old] {
        insert(store, session).await;
    }
    store.sessions.touch(user, touched.id, start.plus(Session::IDLE)).await.succeeds("touching a session");
    let minute = Duration::from_secs(60);
    let forgotten = store.sessions.remove_expired(idle.expires_at().minus(minute), 100).await.succeeds("forgetting");
    assert_eq!(forgotten, 0, "no session is forgotten before it ends");
    let forgotten = store.sessions.remove_expired(idle.expires_at().plus(minute), 100).await.succeeds("forgetting");
    assert_eq!(forgotten, 1, "the session that nobody used is forgotten");
    let mut left = ids(store, user).await;
    left.sort_unstable();
    assert_eq!(left, [used.id, touched.id, old.id], "the sessions that were used are not");
    let end = start.plus(Session::ABSOLUTE).plus(minute);
    let forgotten = store.sessions.remove_expired(end, 100).await.succeeds("forgetting");
    assert_eq!(forgotten, 3, "however much they were used, sessions end");
    assert_eq!(list(store, user).await, [], "forgotten sessions are gone");
}

/// The limit is the caller's.
pub async fn no_more_sessions_are_forgotten_than_asked_for(store: &Repositories) {
    let things = Things::new();
    let user = things.owner();
    for n in 0..10 {
        insert(store, &things.session(user, things.at(n))).await;
    }
    let long_after = things.at(0).plus(Session::ABSOLUTE * 2);
    for (limit, expected) in [(0, 0), (4, 4), (100, 6), (100, 0)] {
        let forgotten = store.sessions.remove_expired(long_after, limit).await.succeeds("forgetting");
        assert_eq!(forgotten, expected, "up to {limit} sessions are forgotten");
    }
}

async fn insert(store: &Repositories, session: &Session) {
    store.sessions.insert(session).await.succeeds("inserting a session");
}

async fn list(store: &Repositories, user: UserId) -> Vec<Session> {
    store.sessions.list(user).await.succeeds("listing sessions")
}

async fn ids(store: &Repositories, user: UserId) -> Vec<SessionId> {
    list(store, user).await.iter().map(|session| session.id).collect()
}
