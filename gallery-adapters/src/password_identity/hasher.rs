//! Argon2id, on as many threads as there are cores.

use std::sync::Arc;

use argon2::password_hash::phc;
use argon2::password_hash::{Error as HashError, PasswordHasher as _, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use gallery_domain::ports::{BackendFailure, IdentityError};
use gallery_domain::{EmailAddress, Password, PasswordHash};
use tokio::sync::Semaphore;

use super::rules;

/// OWASP's Password Storage Cheat Sheet: 19 MiB, 2 rounds, 1 lane.
const MEMORY_KIB: u32 = 19_456;
const ROUNDS: u32 = 2;
const LANES: u32 = 1;

/// Hashes and checks passwords.
#[derive(Debug)]
pub(super) struct PasswordHasher {
    turns: Arc<Semaphore>,
    #[cfg(test)]
    pub(super) hashes: Arc<std::sync::atomic::AtomicU64>,
}

/// What came of checking a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Wrong,
    Right,
    /// Right, but hashed with less effort than today's.
    RightButOutdated,
}

impl PasswordHasher {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            turns: Arc::new(Semaphore::new(cores)),
            #[cfg(test)]
            hashes: Arc::default(),
        }
    }

    /// Hashes a password that meets the rules.
    pub(super) async fn check_and_hash(
        &self,
        password: &Password,
        email: &EmailAddress,
    ) -> Result<PasswordHash, IdentityError> {
        let (password, email) = (password.clone(), email.clone());
        self.in_turn("hash a password", move || match rules::check(&password, &email) {
            Ok(()) => hash(&password).map(Ok),
            Err(reason) => Ok(Err(IdentityError::UnacceptablePassword(reason))),
        })
        .await?
    }

    /// Hashes a password.
    pub(super) async fn hash(&self, password: &Password) -> Result<PasswordHash, BackendFailure> {
        let password = password.clone();
        self.in_turn("hash a password", move || hash(&password)).await
    }

    /// Checks a password. Without a hash it is wrong, after the same work.
    pub(super) async fn verify(
        &self,
        kept: Option<&PasswordHash>,
        password: &Password,
    ) -> Result<Verdict, BackendFailure> {
        let (kept, password) = (kept.cloned(), password.clone());
        self.in_turn("check a password", move || {
            let right = verify(kept.as_ref().unwrap_or(&nobodys_hash()), &password)?;
            Ok(if kept.is_some() { right } else { Verdict::Wrong })
        })
        .await
    }

    /// Runs work on another thread, no more at a time than there are cores. The turn lasts as long as the work, even if nobody waits for it.
    async fn in_turn<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, BackendFailure> {
        #[cfg(test)]
        self.hashes.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let turn = self.turns.clone().acquire_owned().await.expect("nobody closes the semaphore");
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        match done.await {
            Ok(done) => done.map_err(|error| BackendFailure::permanent("password", operation, error)),
            Err(gone) => Err(BackendFailure::transient("password", operation, gone)),
        }
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, ROUNDS, LANES, None).expect("the constants are within Argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &Password) -> Result<PasswordHash, HashError> {
    let hash: phc::PasswordHash = argon2().hash_password(password.expose().as_bytes())?;
    Ok(PasswordHash::from_phc(hash.to_string()))
}

fn verify(kept: &PasswordHash, password: &Password) -> Result<Verdict, HashError> {
    let kept = phc::PasswordHash::new(kept.as_phc()).map_err(|_| HashError::EncodingInvalid)?;
    match argon2().verify_password(password.expose().as_bytes(), &kept) {
        Ok(()) if is_outdated(&kept)? => Ok(Verdict::RightButOutdated),
        Ok(()) => Ok(Verdict::Right),
        Err(HashError::PasswordInvalid) => Ok(Verdict::Wrong),
        Err(error) => Err(error),
    }
}

fn is_outdated(kept: &phc::PasswordHash) -> Result<bool, HashError> {
    let params = Params::try_from(kept)?;
    Ok(kept.algorithm.as_str() != Algorithm::Argon2id.as_str()
        || kept.version != Some(Version::V0x13.into())
        || params.m_cost() < MEMORY_KIB
        || params.t_cost() < ROUNDS)
}

/// A hash that no known password has, as costly to check as anybody's.
fn nobodys_hash() -> PasswordHash {
    PasswordHash::from_phc(format!(
        "$argon2id$v=19$m={MEMORY_KIB},t={ROUNDS},p={LANES}$bm9ib2R5bm9ib2R5bm9ibw$bm9ib2R5bm9ib2R5bm9ib2R5bm9ib2R5bm9ib2R5bm8"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    #[tokio::test]
    async fn a_hash_is_argon2id_of_the_cost_that_is_asked_for_and_salted() {
        let hasher = PasswordHasher::new();
        let first = hasher.hash(&password("one two three four")).await.unwrap();
        let second = hasher.hash(&password("one two three four")).await.unwrap();
        assert!(first.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", first.as_phc());
        assert_ne!(first.as_phc(), second.as_phc());
        assert_eq!(hasher.verify(Some(&first), &password("one two three four")).await.unwrap(), Verdict::Right);
        assert_eq!(hasher.verify(Some(&first), &password("one two three five")).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn an_older_weaker_hash_is_right_but_outdated() {
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
        let kept: phc::PasswordHash = weak.hash_password(b"one two three four").unwrap();
        let kept = PasswordHash::from_phc(kept.to_string());
        let verdict = PasswordHasher::new().verify(Some(&kept), &password("one two three four")).await;
        assert_eq!(verdict.unwrap(), Verdict::RightButOutdated);
    }

    #[tokio::test]
    async fn nobodys_hash_is_read_and_refuses() {
        assert_eq!(verify(&nobodys_hash(), &password("one two three four")), Ok(Verdict::Wrong));
        assert!(!is_outdated(&phc::PasswordHash::new(nobodys_hash().as_phc()).unwrap()).unwrap());
        assert_eq!(PasswordHasher::new().verify(None, &password("x")).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_that_cannot_be_read_is_a_failure_and_not_a_wrong_password() {
        let kept = PasswordHash::from_phc("plain text".to_owned());
        assert!(PasswordHasher::new().verify(Some(&kept), &password("plain text")).await.is_err());
    }
}
