//! Photos and albums: DynamoDB and S3.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use gallery_adapters::dynamodb::{DynamoDbOptions, DynamoDbStore};
use gallery_adapters::s3::S3Blobs;
use gallery_domain::conformance::use_cases::world::World;
use gallery_domain::conformance::use_cases::{UseCase, use_cases};
use gallery_domain::memory::{ManualClock, MemoryIdentity, MemoryImages, MemoryMailer, SequentialIds};
use gallery_domain::ports::Repositories;
use gallery_domain::services::{Policy, Ports};

use crate::aws_servers::{BUCKET, S3, Server, make_bucket, settings, unique};
use crate::dynamodb_server::{self, Tables};
use crate::faulty_proxy::{Fault, Plan, Proxy, Service};
use crate::{through, unless_silent, ways};

/// How many cases run at once.
const AT_ONCE: usize = 4;

/// An empty gallery on AWS, and a second way to it.
struct OnAws {
    world: World,
    /// Of the second way.
    plan: Arc<Plan>,
    _kept: (Tables, [Proxy; 2]),
}

impl OnAws {
    async fn new() -> Self {
        let plan = Arc::new(Plan::default());
        let tables = Tables::provisioned().await;
        let to_tables = Proxy::to(&dynamodb_server::server(), Service::DynamoDb, plan.clone()).await;
        // A fault is one as soon as it happens.
        let options = DynamoDbOptions { answer_timeout: Duration::from_secs(60), retry_for: Duration::ZERO };
        let shaky_config = dynamodb_server::config().endpoint_url(to_tables.url());
        let shaky_store = DynamoDbStore::new(shaky_config, tables.names().clone(), options);

        let server = Server::named(S3);
        let (config, settings) = (server.config().await, settings(BUCKET, &unique("faults")));
        make_bucket(&config, BUCKET).await;
        let to_bucket = Proxy::to(server.endpoint.as_str(), Service::S3, plan.clone()).await;
        let blobs = S3Blobs::new(&settings, &config);
        let shaky_blobs = S3Blobs::new(&settings, &through(&to_bucket, &config));

        let clock = Arc::new(ManualClock::new("2024-06-01T12:00:00Z".parse().unwrap()));
        let repositories = tables.store().repositories();
        let ids = Arc::new(SequentialIds::new());
        let mailer = Arc::new(MemoryMailer::new());
        let identity = Arc::new(MemoryIdentity::new(repositories.sessions.clone(), mailer, clock.clone(), ids.clone()));
        let ports = |repositories: Repositories, blobs: S3Blobs| Ports {
            repositories,
            blobs: Arc::new(blobs.clone()),
            uploads: Arc::new(blobs),
            identity: identity.clone(),
            images: Arc::new(MemoryImages),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let shaky = ports(shaky_store.repositories(), shaky_blobs);
        let world = World::new(ports(repositories, blobs), &shaky, clock.clone(), identity.clone(), Policy::default());
        Self { world, plan, _kept: (tables, [to_tables, to_bucket]) }
    }
}

/// What does not hold after a fault; and how many requests the first attempt made.
async fn survives(use_case: UseCase, fault: Option<(usize, Fault)>) -> (Result<(), String>, usize) {
    let on_aws = OnAws::new().await;
    let (plan, mut requests) = (&on_aws.plan, 0);
    let survived = use_case.survives(on_aws.world.clone(), async |request| {
        match fault {
            Some((number, fault)) => plan.once(fault, number),
            None => plan.never(),
        }
        let answer = unless_silent(plan, request).await;
        requests = plan.requests();
        assert_eq!(plan.faults(), usize::from(fault.is_some()), "{}, {fault:?}", use_case.name);
        answer
    });
    (survived.await, requests)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_with_any_request_nothing_is_lost_and_nothing_is_left() {
    let clean = stream::iter(use_cases().into_iter().enumerate()).map(|(number, use_case)| async move {
        let (survived, requests) = survives(use_case, None).await;
        assert_eq!(survived, Ok(()), "{}", use_case.name);
        (number, use_case, requests)
    });
    let mut cases = Vec::new();
    for (number, use_case, requests) in clean.buffered(AT_ONCE).collect::<Vec<_>>().await {
        println!("{}: {requests} requests", use_case.name);
        assert!(requests > 0, "{}", use_case.name);
        for request in 0..requests {
            cases.extend(ways(number, request, 3).into_iter().map(|fault| (use_case, request, fault)));
        }
    }
    let all = cases.len();
    let broken = stream::iter(cases).map(|(use_case, request, fault)| async move {
        let (survived, _) = survives(use_case, Some((request, fault))).await;
        survived.err().map(|reason| format!("{}, request {request}, {fault:?}: {reason}", use_case.name))
    });
    let broken: Vec<_> = broken.buffer_unordered(AT_ONCE).filter_map(async |broken| broken).collect().await;
    println!("{all} cases");
    assert!(all > use_cases().len(), "only {all} cases ran");
    assert!(broken.is_empty(), "{} of {all} went wrong:\n{}", broken.len(), broken.join("\n"));
}
