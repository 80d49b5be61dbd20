//! How items are read: by their keys, or those of a partition in their order.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use gallery_domain::ports::RepositoryError;

use super::DynamoDbStore;
use super::change::{Tries, names_in};
use super::error::{DynamoDbFailure, Failed, Remedy, permanent, transient};
use super::table_keys::{Item, Key, PK, SK, Table};

/// The most items that are asked for by their keys at once.
const BATCH: usize = 100;

/// A question for the items of one partition, in the order of their sort keys. Of a table it is answered as of now; an index may lag behind.
#[derive(Clone, Debug)]
pub(super) struct Query {
    table: Table,
    index: Option<&'static str>,
    condition: String,
    filter: Option<String>,
    projection: Option<String>,
    values: Item,
    limit: Option<usize>,
    backward: bool,
    start: Option<Item>,
}

/// What one request answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// The items that the filter let through.
    pub(super) items: Vec<Item>,
    /// Where to go on; none at the end.
    pub(super) next: Option<Item>,
}

impl Query {
    /// The items whose keys, of a table or of its index, this condition holds of, such as `#PK = :partition`.
    pub(super) fn new(table: Table, index: Option<&'static str>, condition: impl Into<String>) -> Self {
        Self {
            table,
            index,
            condition: condition.into(),
            filter: None,
            projection: None,
            values: Item::new(),
            limit: None,
            backward: false,
            start: None,
        }
    }

    /// All items of a partition of the index table.
    pub(super) fn partition(partition: impl Into<String>) -> Self {
        Self::new(Table::Index, None, format!("#{PK} = :partition"))
            .value(":partition", AttributeValue::S(partition.into()))
    }

    /// Of a partition of the index table, those whose sort key begins like this.
    pub(super) fn beginning(partition: impl Into<String>, beginning: impl Into<String>) -> Self {
        Self::new(Table::Index, None, format!("#{PK} = :partition AND begins_with(#{SK}, :beginning)"))
            .value(":partition", AttributeValue::S(partition.into()))
            .value(":beginning", AttributeValue::S(beginning.into()))
    }

    /// A value that the expressions name.
    pub(super) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// Only those of which this holds as well. What it leaves out was read all the same.
    pub(super) fn filter(mut self, condition: impl Into<String>) -> Self {
        self.filter = Some(condition.into());
        self
    }

    /// Only these attributes, such as `#PK, #SK`. What it leaves out was read all the same.
    pub(super) fn only(mut self, attributes: impl Into<String>) -> Self {
        self.projection = Some(attributes.into());
        self
    }

    /// At most so many items are looked at by one request.
    pub(super) fn limit(mut self, items: usize) -> Self {
        self.limit = Some(items);
        self
    }

    /// The highest sort key first.
    pub(super) fn backward(mut self) -> Self {
        self.backward = true;
        self
    }

    /// Goes on behind an item of this key, whether it is there or not.
    pub(super) fn after(mut self, key: Option<Item>) -> Self {
        self.start = key;
        self
    }
}

impl DynamoDbStore {
    /// An item as it is now.
    pub(super) async fn get(&self, operation: &'static str, key: &Key) -> Result<Option<Item>, RepositoryError> {
        let mut tries = Tries::new(self.options.retry_for);
        loop {
            let request = self.client.get_item().table_name(self.table_name(key.table)).consistent_read(true);
            match request.set_key(Some(key.attributes())).send().await {
                Ok(output) => return Ok(output.item),
                Err(error) => tries.again_after(operation, Failed(error)).await?,
            }
        }
    }

    /// Items as they are now, in the order of their keys, which may repeat themselves; `None` for what is not there.
    pub(super) async fn get_many(
        &self,
        operation: &'static str,
        keys: &[Key],
    ) -> Result<Vec<Option<Item>>, RepositoryError> {
        let mut found: HashMap<&Key, Option<Item>> = keys.iter().map(|key| (key, None)).collect();
        let wanted: Vec<&Key> = found.keys().copied().collect();
        for some in wanted.chunks(BATCH) {
            for (key, item) in self.get_batch(operation, some).await? {
                if let Some(place) = found.get_mut(&key) {
                    *place = Some(item);
                }
            }
        }
        Ok(keys.iter().map(|key| found.get(key).cloned().flatten()).collect())
    }

    async fn get_batch(&self, operation: &'static str, keys: &[&Key]) -> Result<Vec<(Key, Item)>, RepositoryError> {
        let mut left: HashMap<String, KeysAndAttributes> = HashMap::new();
        for table in [Table::Photos, Table::Index] {
            let of_table: Vec<Item> =
                keys.iter().filter(|key| key.table == table).map(|key| key.attributes()).collect();
            if !of_table.is_empty() {
                let asked = KeysAndAttributes::builder().set_keys(Some(of_table)).consistent_read(true).build();
                let asked = asked.map_err(|error| permanent(operation, DynamoDbFailure::Incomplete(error)))?;
                left.insert(self.table_name(table).to_owned(), asked);
            }
        }
        let mut found = Vec::new();
        let mut tries = Tries::new(self.options.retry_for);
        while !left.is_empty() {
            match self.client.batch_get_item().set_request_items(Some(left.clone())).send().await {
                Ok(output) => {
                    for (name, items) in output.responses.unwrap_or_default() {
                        let table = self.table_named(&name);
                        found.extend(items.into_iter().filter_map(|item| Some((Key::of(table, &item)?, item))));
                    }
                    left = output.unprocessed_keys.unwrap_or_default();
                    if !left.is_empty() {
                        // Also an answer that was cut off because it grew too long.
                        let failure = || transient(operation, DynamoDbFailure::Busy);
                        tries.again(operation, Remedy::Again, failure).await?;
                    }
                }
                Err(error) => tries.again_after(operation, Failed(error)).await?,
            }
        }
        Ok(found)
    }

    /// What one request answers to a query.
    pub(super) async fn query(&self, operation: &'static str, query: &Query) -> Result<Answer, RepositoryError> {
        let expressions = [Some(&query.condition), query.filter.as_ref(), query.projection.as_ref()];
        let mut tries = Tries::new(self.options.retry_for);
        loop {
            let request = self
                .client
                .query()
                .table_name(self.table_name(query.table))
                .set_index_name(query.index.map(str::to_owned))
                // An index knows no other kind of reading.
                .consistent_read(query.index.is_none())
                .key_condition_expression(&query.condition)
                .set_filter_expression(query.filter.clone())
                .set_projection_expression(query.projection.clone())
                .set_expression_attribute_names(names_in(expressions.iter().flatten().map(|text| &***text)))
                .set_expression_attribute_values((!query.values.is_empty()).then(|| query.values.clone()))
                .set_limit(query.limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX).max(1)))
                .scan_index_forward(!query.backward)
                .set_exclusive_start_key(query.start.clone());
            match request.send().await {
                Ok(output) => {
                    let next = output.last_evaluated_key.filter(|key| !key.is_empty());
                    return Ok(Answer { items: output.items.unwrap_or_default(), next });
                }
                Err(error) => tries.again_after(operation, Failed(error)).await?,
            }
        }
    }

    /// Asks until there are so many items, or no more. Only with a filter does that take more requests than the items' size does.
    pub(super) async fn query_up_to(
        &self,
        operation: &'static str,
        query: Query,
        items: usize,
    ) -> Result<Vec<Item>, RepositoryError> {
        let mut query = query;
        let mut found = Vec::new();
        while found.len() < items {
            if query.filter.is_none() {
                query.limit = Some(items - found.len());
            }
            let answer = self.query(operation, &query).await?;
            found.extend(answer.items);
            match answer.next {
                Some(next) => query.start = Some(next),
                None => break,
            }
        }
        found.truncate(items);
        Ok(found)
    }

    /// Asks until there are no more items.
    pub(super) async fn query_all(&self, operation: &'static str, query: Query) -> Result<Vec<Item>, RepositoryError> {
        let mut query = query;
        let mut found = Vec::new();
        loop {
            let answer = self.query(operation, &query).await?;
            found.extend(answer.items);
            match answer.next {
                Some(next) => query.start = Some(next),
                None => return Ok(found),
            }
        }
    }
}
