//! User pools of a test's own, on a MiniStack.

use std::sync::Arc;

use aws_config::SdkConfig;
use gallery_adapters::cognito::{CognitoIdentity, CognitoSettings, CreatedPool, create_pool};
use gallery_adapters::password_identity::IdentityPorts;
use gallery_adapters::system::SystemIds;
use gallery_domain::conformance::fixtures::Things;
use gallery_domain::memory::{ManualClock, MemoryMailer};
use gallery_domain::ports::Repositories;
use secrecy::{ExposeSecret, SecretString};

use crate::aws_servers::{MINISTACK, Server, unique};

/// An identity over a pool that knows nobody, and what a test has to see and do around it.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) config: SdkConfig,
    pub(crate) pool: CreatedPool,
    pub(crate) identity: Arc<CognitoIdentity>,
    pub(crate) mailer: Arc<MemoryMailer>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Repositories,
}

impl World {
    pub(crate) async fn new(store: Repositories) -> Self {
        let server = Server::named(MINISTACK);
        let config = server.config().await;
        let pool = create_pool(&config, &unique("gallery")).await.expect("a pool can be made");
        let (mailer, clock) = (Arc::new(MemoryMailer::new()), Arc::new(ManualClock::new(Things::new().at(0))));
        let ports = IdentityPorts {
            credentials: store.credentials.clone(),
            sessions: store.sessions.clone(),
            rate_limiter: store.rate_limiter.clone(),
            mailer: mailer.clone(),
            clock: clock.clone(),
            ids: Arc::new(SystemIds::default()),
        };
        let site = "https://photos.example".parse().expect("a URL");
        let settings = settings(&server, &pool, &pool.client_id, pool.client_secret.clone());
        let identity = Arc::new(CognitoIdentity::new(&settings, &config, ports, site));
        Self { server, config, pool, identity, mailer, clock, store }
    }

    /// The same pool by another client, secret or user.
    pub(crate) async fn by(&self, client_id: &str, secret: &str, server: &Server) -> CognitoIdentity {
        let ports = IdentityPorts {
            credentials: self.store.credentials.clone(),
            sessions: self.store.sessions.clone(),
            rate_limiter: self.store.rate_limiter.clone(),
            mailer: self.mailer.clone(),
            clock: self.clock.clone(),
            ids: Arc::new(SystemIds::default()),
        };
        let settings = settings(server, &self.pool, client_id, secret.to_owned().into());
        let site = "https://photos.example".parse().expect("a URL");
        CognitoIdentity::new(&settings, &server.config().await, ports, site)
    }

    pub(crate) fn secret(&self) -> &str {
        self.pool.client_secret.expose_secret()
    }
}

fn settings(server: &Server, pool: &CreatedPool, client_id: &str, secret: SecretString) -> CognitoSettings {
    let url = format!("cognito://{}?client_id={client_id}&endpoint={}", pool.pool, server.endpoint);
    CognitoSettings::new(&url, secret).expect("the settings are right")
}
