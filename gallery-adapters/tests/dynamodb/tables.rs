//! How the tables come about.

use aws_sdk_dynamodb::types::AttributeValue;
use gallery_adapters::dynamodb::ProvisionStep;
use gallery_adapters::schema::SchemaStatus;
use gallery_domain::conformance::fixtures::Things;
use gallery_domain::ports::RepositoryError;

use crate::dynamodb_server::{self, Tables};

#[tokio::test]
async fn tables_are_made_once_and_nothing_is_made_for_show() {
    let tables = Tables::named();
    let store = tables.store();
    let [photos, index] = [&tables.names().photos, &tables.names().index].map(Clone::clone);
    let makes = |steps: &[ProvisionStep]| {
        [&photos, &index].map(|table| steps.contains(&ProvisionStep::Create { table: table.clone() }))
    };
    assert_eq!(makes(&store.provision(true).await.unwrap()), [true, true], "what would be done is said");
    let status = store.schema_status().await.unwrap();
    assert_eq!(status, SchemaStatus { pending: vec![1], ..SchemaStatus::default() }, "and not done");

    let steps = store.provision(false).await.unwrap();
    assert_eq!(makes(&steps), [true, true]);
    assert!(steps.contains(&ProvisionStep::ExpireItems { table: index.clone() }), "{steps:?}");
    let status = store.schema_status().await.unwrap();
    assert_eq!(status, SchemaStatus { applied: vec![1], ..SchemaStatus::default() });
    store.check_schema().await.unwrap();

    let again = store.provision(false).await.unwrap();
    let nothing_done = |step: &ProvisionStep| matches!(step, ProvisionStep::NoRecovery { .. });
    assert!(again.iter().all(nothing_done), "what is there stays as it is: {again:?}");
}

#[tokio::test]
async fn several_programs_may_make_the_tables_at_once() {
    let tables = Tables::named();
    let made = futures_util::future::join_all((0..4).map(|_| async { tables.store().provision(false).await })).await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
}

#[tokio::test]
async fn an_item_that_is_not_what_it_should_be_is_named() {
    let (tables, things) = (Tables::provisioned().await, Things::new());
    let store = tables.store().repositories();
    let user = things.user();
    store.users.insert(&user).await.unwrap();
    let write = |name: &str, value: AttributeValue| {
        dynamodb_server::client()
            .update_item()
            .table_name(&tables.names().index)
            .key("PK", AttributeValue::S(format!("U#{}", user.id)))
            .key("SK", AttributeValue::S("PROFILE".to_owned()))
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", value)
            .send()
    };
    for (name, value) in [
        ("Status", AttributeValue::S("asleep".to_owned())),
        ("Status", AttributeValue::Bool(true)),
        ("Revision", AttributeValue::N("-1".to_owned())),
        ("Email", AttributeValue::S("nowhere".to_owned())),
    ] {
        write(name, value).await.unwrap();
        let error = store.users.find(user.id).await.unwrap_err();
        let RepositoryError::Corrupt { what, .. } = &error else { panic!("{error:?}") };
        assert_eq!(what, &format!("user {}", user.id));
    }
}
