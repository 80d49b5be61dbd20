//! The tables: how they are defined, made and checked.
//!
//! `migrations/dynamodb/*.json` are `CreateTable` requests, as AWS's own tools take them, and the one source of what the tables are like: this program
//! makes tables from them, tests do, and so does a deployment.

use std::fmt;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndex,
    GlobalSecondaryIndexUpdate, IndexStatus, KeySchemaElement, KeyType, PointInTimeRecoverySpecification,
    PointInTimeRecoveryStatus, Projection, ProjectionType, ScalarAttributeType, TableDescription, TableStatus,
    TimeToLiveSpecification, TimeToLiveStatus,
};
use futures_util::future::try_join;
use gallery_domain::ports::{BackendFailure, RepositoryError};
use serde::Deserialize;

use super::DynamoDbStore;
use super::change::Tries;
use super::error::{DynamoDbFailure, Failed, permanent, transient};
use super::table_keys::{self, Key, TTL, Table};
use crate::schema::SchemaStatus;

const PHOTOS: &str = include_str!("../../../migrations/dynamodb/PhotoGallery.json");
const INDEX: &str = include_str!("../../../migrations/dynamodb/PhotoGalleryIndex.json");

/// The version of the definitions. A later one may only add indexes, for a program of the version before has to go on running.
const VERSION: i64 = 1;

/// How long a table may need to become active; adding an index to a large one takes longer, and goes on without anybody waiting.
const ACTIVE_WITHIN: Duration = Duration::from_secs(300);

/// How long to wait before a table is looked at again.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// What the two tables are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableNames {
    /// The table of photos, `PhotoGallery` by default.
    pub photos: String,
    /// The table of everything else, `PhotoGalleryIndex` by default.
    pub index: String,
}

impl TableNames {
    /// A table of photos, and one of the same name and `Index` for everything else.
    pub fn beside(photos: impl Into<String>) -> Self {
        let photos = photos.into();
        Self { index: format!("{photos}Index"), photos }
    }
}

/// `PhotoGallery` and `PhotoGalleryIndex`.
impl Default for TableNames {
    fn default() -> Self {
        Self::beside("PhotoGallery")
    }
}

/// Something that [`DynamoDbStore::provision`] does, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProvisionStep {
    /// A table is made.
    Create {
        /// Its name.
        table: String,
    },
    /// A table gets another index, which DynamoDB fills by and by.
    AddIndex {
        /// The table's name.
        table: String,
        /// The index's.
        index: String,
    },
    /// A table forgets by itself what has expired.
    ExpireItems {
        /// Its name.
        table: String,
    },
    /// A table can be restored as it was at any second of the last weeks.
    EnableRecovery {
        /// Its name.
        table: String,
    },
    /// The server knows nothing of such restoring: one for tests does not.
    NoRecovery {
        /// The table's name.
        table: String,
    },
}

impl fmt::Display for ProvisionStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { table } => write!(f, "create the table {table}"),
            Self::AddIndex { table, index } => write!(f, "add the index {index} to the table {table}"),
            Self::ExpireItems { table } => write!(f, "have the table {table} forget what has expired"),
            Self::EnableRecovery { table } => write!(f, "turn on point-in-time recovery of the table {table}"),
            Self::NoRecovery { table } => {
                write!(f, "leave out point-in-time recovery of the table {table}, which this server does not have")
            }
        }
    }
}

/// A `CreateTable` request, as far as these tables need one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Definition {
    // The configuration says what the table is called.
    #[serde(rename = "TableName")]
    _table_name: String,
    billing_mode: String,
    attribute_definitions: Vec<AttributeEntry>,
    key_schema: Vec<KeyEntry>,
    #[serde(default)]
    global_secondary_indexes: Vec<IndexEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AttributeEntry {
    attribute_name: String,
    attribute_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct KeyEntry {
    attribute_name: String,
    key_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct IndexEntry {
    index_name: String,
    key_schema: Vec<KeyEntry>,
    projection: ProjectionEntry,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ProjectionEntry {
    projection_type: String,
    #[serde(default)]
    non_key_attributes: Option<Vec<String>>,
}

impl Definition {
    fn of(table: Table) -> Result<Self, BackendFailure> {
        let text = match table {
            Table::Photos => PHOTOS,
            Table::Index => INDEX,
        };
        serde_json::from_str(text)
            .map_err(|error| permanent("reading a table's definition", DynamoDbFailure::Definition(error)))
    }

    fn attributes(&self) -> Result<Vec<AttributeDefinition>, BuildError> {
        let attribute = |entry: &AttributeEntry| {
            AttributeDefinition::builder()
                .attribute_name(&entry.attribute_name)
                .attribute_type(ScalarAttributeType::from(&*entry.attribute_type))
                .build()
        };
        self.attribute_definitions.iter().map(attribute).collect()
    }
}

impl IndexEntry {
    fn projection(&self) -> Projection {
        Projection::builder()
            .projection_type(ProjectionType::from(&*self.projection.projection_type))
            .set_non_key_attributes(self.projection.non_key_attributes.clone())
            .build()
    }
}

fn keys(entries: &[KeyEntry]) -> Result<Vec<KeySchemaElement>, BuildError> {
    let key = |entry: &KeyEntry| {
        KeySchemaElement::builder()
            .attribute_name(&entry.attribute_name)
            .key_type(KeyType::from(&*entry.key_type))
            .build()
    };
    entries.iter().map(key).collect()
}

/// Keys in the order in which they are written: the partition's first.
fn are_keys(entries: &[KeyEntry], found: &[KeySchemaElement]) -> bool {
    let wanted = entries.iter().map(|entry| (&*entry.attribute_name, &*entry.key_type));
    wanted.eq(found.iter().map(|key| (key.attribute_name(), key.key_type().as_str())))
}

const PROVISIONING: &str = "making the tables";
const CHECKING: &str = "checking the tables";

impl DynamoDbStore {
    /// Makes the tables that are missing, waits until they can be used, and sets what a table is told only afterwards: that it forgets what has expired,
    /// and that it can be restored. What is there already stays as it is. Answers what was done; or would be, if it is only `pretended`.
    ///
    /// # Errors
    ///
    /// A table of that name has other keys, the account may not make tables, or does not make them in time.
    pub async fn provision(&self, pretended: bool) -> Result<Vec<ProvisionStep>, BackendFailure> {
        let mut steps = Vec::new();
        for table in [Table::Photos, Table::Index] {
            let definition = Definition::of(table)?;
            let name = self.table_name(table);
            match self.described(PROVISIONING, name).await? {
                None => {
                    steps.push(ProvisionStep::Create { table: name.to_owned() });
                    if pretended {
                        steps.extend(forgets(table, name));
                        steps.push(ProvisionStep::EnableRecovery { table: name.to_owned() });
                        continue;
                    }
                    self.create(name, &definition).await?;
                }
                Some(found) => {
                    differences(name, &definition, &found)?;
                    for index in missing_indexes(&definition, &found) {
                        let step = ProvisionStep::AddIndex { table: name.to_owned(), index: index.index_name.clone() };
                        steps.push(step);
                        if !pretended {
                            self.add_index(name, &definition, index).await?;
                        }
                    }
                }
            }
            if !pretended {
                self.wait_until_active(name).await?;
            }
            if let Some(step) = forgets(table, name)
                && !self.forgets_expired(name).await?
            {
                steps.push(step);
                if !pretended {
                    self.have_it_forget_expired(name).await?;
                }
            }
            steps.extend(self.enable_recovery(name, pretended).await?);
        }
        Ok(steps)
    }

    /// Fails unless both tables are there and can be read, with what to do about it.
    ///
    /// It reads one item of each, which every role of a gallery may, and which takes no longer than any request.
    pub async fn check_schema(&self) -> Result<(), BackendFailure> {
        let look = async |key: Key| match self.get(CHECKING, &key).await {
            Ok(_) => Ok(()),
            Err(RepositoryError::Backend(failure)) => Err(failure),
            Err(other) => Err(BackendFailure::permanent("dynamodb", CHECKING, other)),
        };
        let nothing = gallery_domain::PhotoId::from_uuid(uuid::Uuid::nil());
        let index = Key::index(table_keys::USERS, table_keys::USERS);
        try_join(look(table_keys::photo(nothing)), look(index)).await.map(drop)
    }

    /// Whether the tables are those of this program. Changes nothing.
    ///
    /// # Errors
    ///
    /// A table of that name has other keys, or DynamoDB cannot be asked.
    pub async fn schema_status(&self) -> Result<SchemaStatus, BackendFailure> {
        let mut found = vec![VERSION];
        for table in [Table::Photos, Table::Index] {
            let definition = Definition::of(table)?;
            let name = self.table_name(table);
            match self.described(CHECKING, name).await? {
                Some(description) => {
                    differences(name, &definition, &description)?;
                    if missing_indexes(&definition, &description).next().is_some() {
                        found.clear();
                    }
                }
                None => found.clear(),
            }
        }
        Ok(SchemaStatus::compare(&[VERSION], &found))
    }

    async fn described(
        &self,
        operation: &'static str,
        table: &str,
    ) -> Result<Option<TableDescription>, BackendFailure> {
        let mut tries = Tries::new(self.options.retry_for);
        loop {
            match self.client.describe_table().table_name(table).send().await {
                Ok(output) => return Ok(output.table),
                Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
                Err(error) => tries.again_after(operation, Failed(error)).await?,
            }
        }
    }

    async fn create(&self, name: &str, definition: &Definition) -> Result<(), BackendFailure> {
        let incomplete = |error| permanent(PROVISIONING, DynamoDbFailure::Incomplete(error));
        let index = |entry: &IndexEntry| {
            GlobalSecondaryIndex::builder()
                .index_name(&entry.index_name)
                .set_key_schema(Some(keys(&entry.key_schema)?))
                .projection(entry.projection())
                .build()
        };
        let indexes: Result<Vec<_>, _> = definition.global_secondary_indexes.iter().map(index).collect();
        // An empty list is refused.
        let indexes = Some(indexes.map_err(incomplete)?).filter(|indexes| !indexes.is_empty());
        let request = self
            .client
            .create_table()
            .table_name(name)
            .billing_mode(BillingMode::from(&*definition.billing_mode))
            .set_attribute_definitions(Some(definition.attributes().map_err(incomplete)?))
            .set_key_schema(Some(keys(&definition.key_schema).map_err(incomplete)?))
            .set_global_secondary_indexes(indexes);
        let mut tries = Tries::new(self.options.retry_for);
        loop {
            match request.clone().send().await {
                Ok(_) => return Ok(()),
                // Somebody makes it at the same time, or an answer was lost.
                Err(error) if matches!(error.as_service_error(), Some(CreateTableError::ResourceInUseException(_))) => {
                    return Ok(());
                }
                Err(error) => tries.again_after(PROVISIONING, Failed(error)).await?,
            }
        }
    }

    async fn add_index(&self, name: &str, definition: &Definition, index: &IndexEntry) -> Result<(), BackendFailure> {
        let incomplete = |error| permanent(PROVISIONING, DynamoDbFailure::Incomplete(error));
        let action = CreateGlobalSecondaryIndexAction::builder()
            .index_name(&index.index_name)
            .set_key_schema(Some(keys(&index.key_schema).map_err(incomplete)?))
            .projection(index.projection())
            .build()
            .map_err(incomplete)?;
        // A table takes one new index at a time.
        self.wait_until_active(name).await?;
        let request = self
            .client
            .update_table()
            .table_name(name)
            .set_attribute_definitions(Some(definition.attributes().map_err(incomplete)?))
            .global_secondary_index_updates(GlobalSecondaryIndexUpdate::builder().create(action).build());
        request.send().await.map(drop).map_err(|error| Failed(error).into_failure(PROVISIONING))
    }

    async fn wait_until_active(&self, name: &str) -> Result<(), BackendFailure> {
        let end = Instant::now() + ACTIVE_WITHIN;
        loop {
            let found = self.described(PROVISIONING, name).await?;
            if found.is_some_and(|found| found.table_status() == Some(&TableStatus::Active)) {
                return Ok(());
            }
            if Instant::now() > end {
                return Err(transient(PROVISIONING, DynamoDbFailure::NotReady(name.to_owned())));
            }
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    }

    async fn forgets_expired(&self, name: &str) -> Result<bool, BackendFailure> {
        match self.client.describe_time_to_live().table_name(name).send().await {
            Ok(output) => {
                let status = output.time_to_live_description.and_then(|description| description.time_to_live_status);
                Ok(matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)))
            }
            // Only pretended so far.
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(false),
            Err(error) => Err(Failed(error).into_failure(PROVISIONING)),
        }
    }

    async fn have_it_forget_expired(&self, name: &str) -> Result<(), BackendFailure> {
        let wanted = TimeToLiveSpecification::builder().enabled(true).attribute_name(TTL).build();
        let wanted = wanted.map_err(|error| permanent(PROVISIONING, DynamoDbFailure::Incomplete(error)))?;
        let request = self.client.update_time_to_live().table_name(name).time_to_live_specification(wanted);
        request.send().await.map(drop).map_err(|error| Failed(error).into_failure(PROVISIONING))
    }

    async fn enable_recovery(&self, name: &str, pretended: bool) -> Result<Option<ProvisionStep>, BackendFailure> {
        let step = ProvisionStep::EnableRecovery { table: name.to_owned() };
        let without = ProvisionStep::NoRecovery { table: name.to_owned() };
        let status = match self.client.describe_continuous_backups().table_name(name).send().await {
            Ok(output) => output
                .continuous_backups_description
                .and_then(|description| description.point_in_time_recovery_description)
                .and_then(|description| description.point_in_time_recovery_status),
            Err(error) if error.code() == Some("UnknownOperationException") => return Ok(Some(without)),
            Err(error) => return Err(Failed(error).into_failure(PROVISIONING)),
        };
        if status == Some(PointInTimeRecoveryStatus::Enabled) {
            return Ok(None);
        }
        if !pretended {
            let wanted = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build();
            let wanted = wanted.map_err(|error| permanent(PROVISIONING, DynamoDbFailure::Incomplete(error)))?;
            let request =
                self.client.update_continuous_backups().table_name(name).point_in_time_recovery_specification(wanted);
            let end = Instant::now() + ACTIVE_WITHIN;
            loop {
                match request.clone().send().await {
                    Ok(_) => break,
                    Err(error) if error.code() == Some("UnknownOperationException") => return Ok(Some(without)),
                    // Of a table that is new, backups are being prepared for a while.
                    Err(error)
                        if error.code() == Some("ContinuousBackupsUnavailableException") && Instant::now() < end =>
                    {
                        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
                    }
                    Err(error) => return Err(Failed(error).into_failure(PROVISIONING)),
                }
            }
        }
        Ok(Some(step))
    }
}

/// Photos stay until they are removed; of the rest, some expires.
fn forgets(table: Table, name: &str) -> Option<ProvisionStep> {
    match table {
        Table::Photos => None,
        Table::Index => Some(ProvisionStep::ExpireItems { table: name.to_owned() }),
    }
}

/// Fails if a table is another than the one defined: what cannot be changed is its key, and that of each index.
fn differences(name: &str, definition: &Definition, found: &TableDescription) -> Result<(), BackendFailure> {
    let other =
        |difference: String| permanent(CHECKING, DynamoDbFailure::OtherTable { table: name.to_owned(), difference });
    if !are_keys(&definition.key_schema, found.key_schema()) {
        return Err(other("it has another key".to_owned()));
    }
    for index in &definition.global_secondary_indexes {
        let of_name =
            found.global_secondary_indexes().iter().find(|found| found.index_name() == Some(&index.index_name));
        if of_name.is_some_and(|found| !are_keys(&index.key_schema, found.key_schema())) {
            return Err(other(format!("its index {} has another key", index.index_name)));
        }
    }
    Ok(())
}

fn missing_indexes<'d>(definition: &'d Definition, found: &TableDescription) -> impl Iterator<Item = &'d IndexEntry> {
    let there: Vec<String> = found
        .global_secondary_indexes()
        .iter()
        .filter(|index| index.index_status() != Some(&IndexStatus::Deleting))
        .filter_map(|index| index.index_name().map(str::to_owned))
        .collect();
    definition.global_secondary_indexes.iter().filter(move |index| !there.contains(&index.index_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_those_that_the_keys_are_made_for() {
        for table in [Table::Photos, Table::Index] {
            let definition = Definition::of(table).unwrap();
            let key: Vec<&str> = definition.key_schema.iter().map(|key| &*key.attribute_name).collect();
            assert_eq!(key, table.key_names());
            assert_eq!(definition._table_name, {
                let names = TableNames::default();
                if table == Table::Photos { names.photos } else { names.index }
            });
            assert!(definition.attributes().is_ok() && keys(&definition.key_schema).is_ok());
        }
        let index = Definition::of(Table::Index).unwrap();
        let by_due = &index.global_secondary_indexes[0];
        assert_eq!(by_due.index_name, table_keys::BY_DUE);
        let key: Vec<&str> = by_due.key_schema.iter().map(|key| &*key.attribute_name).collect();
        assert_eq!(key, [table_keys::DUE_LIST, table_keys::DUE_AT]);
    }
}
