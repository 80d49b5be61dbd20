use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512};
use data_encoding::BASE64URL_NOPAD;
use gallery_domain::memory::ManualClock;
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_717_200_000;
const ISSUER: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI";
const NAME: &str = "018f0000-0000-7000-8000-000000000000";

/// Keys that can be changed, and are counted when they are read.
#[derive(Default)]
struct Played {
    keys: StdMutex<Vec<Value>>,
    read: AtomicUsize,
}

#[async_trait]
impl KeySource for Played {
    async fn keys(&self) -> Result<Vec<u8>, BackendFailure> {
        self.read.fetch_add(1, Ordering::SeqCst);
        Ok(json!({ "keys": *self.keys.lock().unwrap() }).to_string().into_bytes())
    }
}

struct Pool {
    source: Arc<Played>,
    clock: Arc<ManualClock>,
    tokens: Tokens,
}

fn pool(keys: Vec<Value>) -> Pool {
    let source = Arc::new(Played::default());
    *source.keys.lock().unwrap() = keys;
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(NOW * 1_000)));
    let tokens = Tokens {
        issuer: ISSUER.to_owned(),
        client_id: "1a2b3c".to_owned(),
        source: source.clone(),
        clock: clock.clone(),
        known: Mutex::default(),
    };
    Pool { source, clock, tokens }
}

impl Pool {
    async fn refusal(&self, token: &str) -> String {
        let failure = self.tokens.verify(token, NAME).await.unwrap_err();
        assert!(!failure.is_transient());
        failure.source.to_string()
    }

    fn reads(&self) -> usize {
        self.source.read.load(Ordering::SeqCst)
    }
}

fn key() -> KeyPair {
    KeyPair::generate(KeySize::Rsa2048).unwrap()
}

fn published(key: &KeyPair, id: &str) -> Value {
    let number = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    let public = key.public_key();
    json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": id,
        "n": number(public.modulus().big_endian_without_leading_zero()),
        "e": number(public.exponent().big_endian_without_leading_zero()) })
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "exp": NOW + 300, "token_use": "access", "client_id": "1a2b3c", "username": NAME, "sub": "x" })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn parts(header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
    format!("{}.{}", encode(header), encode(claims))
}

fn signed_with(key: &KeyPair, header: &Value, claims: &Value) -> String {
    let signed = parts(header, claims);
    let algorithm = if header["alg"] == "RS512" { &RSA_PKCS1_SHA512 } else { &RSA_PKCS1_SHA256 };
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(algorithm, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

fn signed(key: &KeyPair, claims: &Value) -> String {
    signed_with(key, &json!({ "alg": "RS256", "kid": "one" }), claims)
}

#[tokio::test]
async fn a_token_of_the_pool_for_this_client_and_user_is_good() {
    let key = key();
    let pool = pool(vec![published(&key, "zero"), published(&key, "one")]);
    for claims in [claims(), with("nbf", json!(NOW)), with("scope", json!("aws.cognito.signin.user.admin"))] {
        pool.tokens.verify(&signed(&key, &claims), NAME).await.unwrap();
    }
    assert_eq!(pool.reads(), 1, "the keys are kept");
}

#[tokio::test]
async fn any_other_claim_is_refused() {
    let key = key();
    let pool = pool(vec![published(&key, "one")]);
    for (claims, part) in [
        (with("iss", json!("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Another")), "issuer"),
        (without("iss"), "issuer"),
        (with("exp", json!(NOW)), "expired"),
        (with("exp", json!(NOW - 86_400)), "expired"),
        (without("exp"), "form"),
        (with("nbf", json!(NOW + 3_600)), "not good yet"),
        (with("token_use", json!("id")), "something or somebody else"),
        (without("token_use"), "form"),
        (with("client_id", json!("another")), "something or somebody else"),
        (with("username", json!("another")), "something or somebody else"),
        (with("username", json!(null)), "form"),
    ] {
        let said = pool.refusal(&signed(&key, &claims)).await;
        assert!(said.contains(part), "{claims}: {said}");
    }
}

#[tokio::test]
async fn any_other_signature_is_refused() {
    let (key, strangers) = (key(), self::key());
    let pool = pool(vec![published(&key, "one")]);
    let header = |algorithm: &str| json!({ "alg": algorithm, "kid": "one" });
    // The classic: the public key as the secret of a shared one.
    let shared = {
        let signed = parts(&header("HS256"), &claims());
        let secret = key.public_key().modulus().big_endian_without_leading_zero().to_vec();
        let mac =
            aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret), signed.as_bytes());
        format!("{signed}.{}", BASE64URL_NOPAD.encode(mac.as_ref()))
    };
    let good = signed(&key, &claims());
    let (payload, signature) = good.rsplit_once('.').unwrap();
    let other_claims = parts(&header("RS256"), &with("username", json!("another")));
    for token in [
        shared,
        signed(&strangers, &claims()),
        signed_with(&key, &header("RS512"), &claims()),
        signed_with(&key, &header("PS256"), &claims()),
        format!("{}.", parts(&header("none"), &claims())),
        format!("{other_claims}.{signature}"),
        format!("{payload}."),
        payload.to_owned(),
        String::new(),
        "a.b.c".to_owned(),
        signed_with(&key, &json!({ "alg": "RS256" }), &claims()),
    ] {
        let said = pool.refusal(&token).await;
        assert!(said.starts_with("the user pool's answer is no proof"), "{token}: {said}");
    }
    pool.tokens.verify(&good, NAME).await.unwrap();
}

#[tokio::test]
async fn where_a_token_says_its_key_is_does_not_matter() {
    let (key, strangers) = (key(), self::key());
    let pool = pool(vec![published(&key, "one")]);
    let header = json!({ "alg": "RS256", "kid": "one", "jku": "https://evil.example/jwks.json", "x5u": "https://evil.example/cert",
        "jwk": published(&strangers, "one") });
    pool.refusal(&signed_with(&strangers, &header, &claims())).await;
    pool.tokens.verify(&signed_with(&key, &header, &claims()), NAME).await.unwrap();
}

#[tokio::test]
async fn a_new_key_is_looked_for_once_a_minute_at_most() {
    let (old, new) = (key(), key());
    let pool = pool(vec![published(&old, "one")]);
    let by_new = signed_with(&new, &json!({ "alg": "RS256", "kid": "two" }), &claims());
    for _ in 0..5 {
        assert!(pool.refusal(&by_new).await.contains("no such key"));
    }
    assert_eq!(pool.reads(), 1);
    *pool.source.keys.lock().unwrap() = vec![published(&old, "one"), published(&new, "two")];
    pool.clock.advance(Tokens::ASK_EVERY - Duration::from_secs(1));
    pool.refusal(&by_new).await;
    assert_eq!(pool.reads(), 1, "a minute has not passed");
    pool.clock.advance(Duration::from_secs(1));
    pool.tokens.verify(&by_new, NAME).await.unwrap();
    pool.tokens.verify(&signed(&old, &claims()), NAME).await.unwrap();
    assert_eq!(pool.reads(), 2);
    // A key that is published no more is no key.
    *pool.source.keys.lock().unwrap() = vec![published(&new, "two")];
    pool.clock.advance(Tokens::ASK_EVERY);
    pool.refusal(&signed_with(&old, &json!({ "alg": "RS256", "kid": "three" }), &claims())).await;
    assert!(pool.refusal(&signed(&old, &claims())).await.contains("no such key"));
}
