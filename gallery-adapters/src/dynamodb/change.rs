//! How items are written, alone, in batches or together as a transaction, and what is done when DynamoDB does not play along.
//!
//! - Whatever was certainly not done, because of throttling or of others who change the same things, is tried anew. The pauses are random and their
//!   bound grows, so that those who got in each other's way do not meet again; it ends after [`retry_for`](super::DynamoDbOptions::retry_for).
//! - Where the answer was lost, or the server failed, a write may have been done. A transaction has a token by which DynamoDB knows it again. A single
//!   conditional write leaves a token of its own in the item: a retry that is refused finds it, and was done the first time. A delete that finds nothing
//!   was done. If somebody else's token is there, the write was refused, or done and written over by now: of what has a revision, that tells which,
//!   unless it went on further, and then the caller hears that nobody can tell; of the rest, being refused is right either way, as it says what holds now.
//! - A condition that does not hold is an [answer](Written::Refused), and never tried anew.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, DeleteRequest, Put, PutRequest, ReturnValue,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update, WriteRequest,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use data_encoding::HEXLOWER;
use gallery_domain::Revision;
use gallery_domain::ports::{BackendFailure, RepositoryError};

use super::DynamoDbStore;
use super::error::{DynamoDbFailure, Failed, Remedy, permanent, transient};
use super::rows::{self, REVISION};
use super::table_keys::{Item, Key};

/// The most items of a transaction.
pub(super) const TRANSACTION: usize = 100;

/// The most writes of a batch.
const BATCH: usize = 25;

/// The attribute in which a conditional write leaves its token.
const WRITE: &str = "Write";

/// The bound of the first pause before trying anew; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(8);

/// The bound of the longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A write of one item. In its expressions, `#Name` stands for the attribute `Name`, and `:name` for a [value](Self::value).
#[derive(Clone, Debug)]
pub(super) struct Write {
    key: Key,
    what: What,
    condition: Option<String>,
    values: Item,
    returns_new: bool,
    read_at: Option<Revision>,
}

#[derive(Clone, Debug)]
enum What {
    Put(Item),
    Update(Vec<(Clause, String)>),
    Delete,
    Check,
}

/// A clause of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Clause {
    Set,
    Add,
    Remove,
}

impl Write {
    fn new(key: Key, what: What) -> Self {
        Self { key, what, condition: None, values: Item::new(), returns_new: false, read_at: None }
    }

    /// Sets the whole item, whose key need not be among the attributes.
    pub(super) fn put(key: Key, attributes: impl IntoIterator<Item = (&'static str, AttributeValue)>) -> Self {
        let mut item = key.attributes();
        item.extend(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Self::new(key, What::Put(item))
    }

    /// Changes some attributes of the item, which is made if it is not there.
    pub(super) fn update(key: Key) -> Self {
        Self::new(key, What::Update(Vec::new()))
    }

    /// Removes the item, if it is there.
    pub(super) fn delete(key: Key) -> Self {
        Self::new(key, What::Delete)
    }

    /// Writes nothing; for conditions of a transaction.
    pub(super) fn check(key: Key) -> Self {
        Self::new(key, What::Check)
    }

    /// In an update: sets an attribute, such as `#Name = :name`.
    pub(super) fn set(self, action: impl Into<String>) -> Self {
        self.clause(Clause::Set, action.into())
    }

    /// In an update: adds to a number, such as `#Photos :one`.
    pub(super) fn add(self, action: impl Into<String>) -> Self {
        self.clause(Clause::Add, action.into())
    }

    /// In an update: removes an attribute, such as `#Name`.
    pub(super) fn unset(self, action: impl Into<String>) -> Self {
        self.clause(Clause::Remove, action.into())
    }

    fn clause(mut self, clause: Clause, action: String) -> Self {
        if let What::Update(actions) = &mut self.what {
            actions.push((clause, action));
        }
        self
    }

    /// Only if this holds; several conditions have to hold together.
    pub(super) fn only_if(mut self, condition: &str) -> Self {
        self.condition = Some(match self.condition {
            None => condition.to_owned(),
            Some(others) => format!("({others}) AND ({condition})"),
        });
        self
    }

    /// Only if there is no such item.
    pub(super) fn only_if_absent(self) -> Self {
        let [partition, _] = self.key.table.key_names();
        self.only_if(&format!("attribute_not_exists(#{partition})"))
    }

    /// Only if there is such an item.
    pub(super) fn only_if_present(self) -> Self {
        let [partition, _] = self.key.table.key_names();
        self.only_if(&format!("attribute_exists(#{partition})"))
    }

    /// Only if the item has this revision, and the next one afterwards.
    pub(super) fn at_revision(mut self, read_at: Revision) -> Self {
        self.read_at = Some(read_at);
        self.only_if(&format!("#{REVISION} = :read_at")).value(":read_at", rows::revision_value(read_at))
    }

    /// A value that the expressions name.
    pub(super) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// Answers with the item as it is afterwards; of an update alone.
    pub(super) fn returning_new(mut self) -> Self {
        self.returns_new = true;
        self
    }

    /// Leaves a token, by which a retry knows that the write was done, and by which an update is not done twice.
    fn leaving(mut self, token: &str) -> Self {
        let token_value = AttributeValue::S(token.to_owned());
        match &mut self.what {
            What::Put(item) => {
                item.insert(WRITE.to_owned(), token_value);
                self
            }
            What::Update(_) => self
                .set(format!("#{WRITE} = :write"))
                .value(":write", token_value)
                .only_if(&format!("attribute_not_exists(#{WRITE}) OR #{WRITE} <> :write")),
            What::Delete | What::Check => self,
        }
    }

    fn update_expression(&self) -> Option<String> {
        let What::Update(actions) = &self.what else { return None };
        let mut expression = String::new();
        for (clause, word) in [(Clause::Set, "SET"), (Clause::Add, "ADD"), (Clause::Remove, "REMOVE")] {
            let of_clause: Vec<&str> =
                actions.iter().filter(|(of, _)| *of == clause).map(|(_, action)| &**action).collect();
            if !of_clause.is_empty() {
                expression.push_str(&format!("{word} {} ", of_clause.join(", ")));
            }
        }
        Some(expression)
    }

    /// The attributes that the expressions name.
    fn names(&self) -> Option<HashMap<String, String>> {
        let update = self.update_expression();
        names_in(update.iter().chain(&self.condition).map(|text| &**text))
    }

    fn values(&self) -> Option<Item> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }

    /// As a part of a transaction.
    fn in_transaction(&self, store: &DynamoDbStore) -> Result<TransactWriteItem, BuildError> {
        let table = store.table_name(self.key.table);
        let old = ReturnValuesOnConditionCheckFailure::AllOld;
        let part = TransactWriteItem::builder();
        Ok(match &self.what {
            What::Put(item) => part.put(
                Put::builder()
                    .table_name(table)
                    .set_item(Some(item.clone()))
                    .set_condition_expression(self.condition.clone())
                    .set_expression_attribute_names(self.names())
                    .set_expression_attribute_values(self.values())
                    .return_values_on_condition_check_failure(old)
                    .build()?,
            ),
            What::Update(_) => part.update(
                Update::builder()
                    .table_name(table)
                    .set_key(Some(self.key.attributes()))
                    .set_update_expression(self.update_expression())
                    .set_condition_expression(self.condition.clone())
                    .set_expression_attribute_names(self.names())
                    .set_expression_attribute_values(self.values())
                    .return_values_on_condition_check_failure(old)
                    .build()?,
            ),
            What::Delete => part.delete(
                Delete::builder()
                    .table_name(table)
                    .set_key(Some(self.key.attributes()))
                    .set_condition_expression(self.condition.clone())
                    .set_expression_attribute_names(self.names())
                    .set_expression_attribute_values(self.values())
                    .return_values_on_condition_check_failure(old)
                    .build()?,
            ),
            What::Check => part.condition_check(
                ConditionCheck::builder()
                    .table_name(table)
                    .set_key(Some(self.key.attributes()))
                    .set_condition_expression(self.condition.clone())
                    .set_expression_attribute_names(self.names())
                    .set_expression_attribute_values(self.values())
                    .return_values_on_condition_check_failure(old)
                    .build()?,
            ),
        }
        .build())
    }

    /// As a part of a batch, which knows no conditions and no updates.
    fn in_batch(&self) -> Result<WriteRequest, BuildError> {
        let request = WriteRequest::builder();
        Ok(match &self.what {
            What::Put(item) => request.put_request(PutRequest::builder().set_item(Some(item.clone())).build()?),
            _ => request.delete_request(DeleteRequest::builder().set_key(Some(self.key.attributes())).build()?),
        }
        .build())
    }
}

/// The names behind each `#` of expressions, as DynamoDB wants to be told them; none if there are none.
pub(super) fn names_in<'t>(expressions: impl Iterator<Item = &'t str>) -> Option<HashMap<String, String>> {
    let mut names = HashMap::new();
    for expression in expressions {
        for after in expression.split('#').skip(1) {
            let name: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            names.insert(format!("#{name}"), name);
        }
    }
    (!names.is_empty()).then_some(names)
}

/// How a conditional write ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Written {
    /// It was done; with the item as it is now, if that was asked for.
    Done(Option<Item>),
    /// Its condition did not hold, of an item like this; nothing was written.
    Refused(Option<Item>),
}

impl Written {
    /// Whether it was done.
    pub(super) const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Transacted {
    /// All of it was done.
    Done,
    /// Some conditions did not hold; nothing was written.
    Refused(Refusals),
}

impl Transacted {
    /// Whether it was done.
    pub(super) const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

/// Which writes of a transaction were refused, by their places, each with the item that its condition does not hold of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Refusals(HashMap<usize, Option<Item>>);

impl Refusals {
    /// Whether the write at this place was refused.
    pub(super) fn has(&self, place: usize) -> bool {
        self.0.contains_key(&place)
    }

    /// The item that the condition at this place does not hold of; none if it was not refused, or there is no such item.
    pub(super) fn item(&self, place: usize) -> Option<&Item> {
        self.0.get(&place)?.as_ref()
    }

    fn of(reasons: &[CancellationReason]) -> Self {
        let refused = reasons.iter().enumerate().filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"));
        Self(refused.map(|(place, reason)| (place, reason.item().filter(|item| !item.is_empty()).cloned())).collect())
    }
}

impl DynamoDbStore {
    /// Writes one item. Without a condition it may be written twice, if the first answer was lost.
    pub(super) async fn write(&self, operation: &'static str, write: Write) -> Result<Written, RepositoryError> {
        let token = random_token();
        let write = if write.condition.is_some() { write.leaving(&token) } else { write };
        let mut tries = Tries::new(self.options.retry_for);
        loop {
            let failed = match self.write_once(&write).await {
                Ok(written) => return Ok(Written::Done(written)),
                Err(WriteError::Refused(old)) => return tries.judge(operation, &write, &token, old),
                Err(WriteError::Failed(failed)) => failed,
            };
            tries.again_after(operation, failed).await?;
        }
    }

    /// Writes one item whose condition always holds, or that has none.
    pub(super) async fn write_always(&self, operation: &'static str, write: Write) -> Result<(), RepositoryError> {
        self.write(operation, write).await.map(drop)
    }

    async fn write_once(&self, write: &Write) -> Result<Option<Item>, WriteError> {
        let client = &self.client;
        let table = self.table_name(write.key.table);
        let old = write.condition.is_some().then_some(ReturnValuesOnConditionCheckFailure::AllOld);
        match &write.what {
            What::Put(item) => client
                .put_item()
                .table_name(table)
                .set_item(Some(item.clone()))
                .set_condition_expression(write.condition.clone())
                .set_expression_attribute_names(write.names())
                .set_expression_attribute_values(write.values())
                .set_return_values_on_condition_check_failure(old)
                .send()
                .await
                .map(|_| None)
                .map_err(|error| {
                    WriteError::of(error, |error| match error {
                        PutItemError::ConditionalCheckFailedException(refused) => Some(refused),
                        _ => None,
                    })
                }),
            What::Update(_) => client
                .update_item()
                .table_name(table)
                .set_key(Some(write.key.attributes()))
                .set_update_expression(write.update_expression())
                .set_condition_expression(write.condition.clone())
                .set_expression_attribute_names(write.names())
                .set_expression_attribute_values(write.values())
                .set_return_values_on_condition_check_failure(old)
                .set_return_values(write.returns_new.then_some(ReturnValue::AllNew))
                .send()
                .await
                .map(|output| output.attributes)
                .map_err(|error| {
                    WriteError::of(error, |error| match error {
                        UpdateItemError::ConditionalCheckFailedException(refused) => Some(refused),
                        _ => None,
                    })
                }),
            What::Delete | What::Check => client
                .delete_item()
                .table_name(table)
                .set_key(Some(write.key.attributes()))
                .set_condition_expression(write.condition.clone())
                .set_expression_attribute_names(write.names())
                .set_expression_attribute_values(write.values())
                .set_return_values_on_condition_check_failure(old)
                .send()
                .await
                .map(|_| None)
                .map_err(|error| {
                    WriteError::of(error, |error| match error {
                        DeleteItemError::ConditionalCheckFailedException(refused) => Some(refused),
                        _ => None,
                    })
                }),
        }
    }

    /// Writes up to [`TRANSACTION`] different items, all or none.
    pub(super) async fn transact(
        &self,
        operation: &'static str,
        writes: Vec<Write>,
    ) -> Result<Transacted, RepositoryError> {
        if writes.is_empty() {
            return Ok(Transacted::Done);
        }
        if writes.len() > TRANSACTION {
            return Err(permanent(operation, DynamoDbFailure::TooLarge).into());
        }
        let parts: Result<Vec<_>, _> = writes.iter().map(|write| write.in_transaction(self)).collect();
        let parts = parts.map_err(|error| permanent(operation, DynamoDbFailure::Incomplete(error)))?;
        let token = random_token();
        let mut tries = Tries::new(self.options.retry_for);
        loop {
            let request = self.client.transact_write_items().set_transact_items(Some(parts.clone()));
            let failed = match request.client_request_token(&token).send().await {
                Ok(_) => return Ok(Transacted::Done),
                Err(error) => error,
            };
            match cancelled(&failed) {
                Some(Cancelled::Refused(refusals)) => return Ok(Transacted::Refused(refusals)),
                Some(Cancelled::ByOthers) => tries.again(operation, Remedy::Again, || busy(operation)).await?,
                None => tries.again_after(operation, Failed(failed)).await?,
            }
        }
    }

    /// Puts and deletes different items, each by itself and without conditions: those that come first are written first, 25 at a time.
    pub(super) async fn write_batches(
        &self,
        operation: &'static str,
        writes: Vec<Write>,
    ) -> Result<(), RepositoryError> {
        for some in writes.chunks(BATCH) {
            let mut left: HashMap<String, Vec<WriteRequest>> = HashMap::new();
            for write in some {
                let request =
                    write.in_batch().map_err(|error| permanent(operation, DynamoDbFailure::Incomplete(error)))?;
                left.entry(self.table_name(write.key.table).to_owned()).or_default().push(request);
            }
            let mut tries = Tries::new(self.options.retry_for);
            while !left.is_empty() {
                match self.client.batch_write_item().set_request_items(Some(left.clone())).send().await {
                    Ok(output) => {
                        left = output.unprocessed_items.unwrap_or_default();
                        if !left.is_empty() {
                            tries.again(operation, Remedy::Again, || busy(operation)).await?;
                        }
                    }
                    Err(error) => tries.again_after(operation, Failed(error)).await?,
                }
            }
        }
        Ok(())
    }
}

/// Why a write was not done.
enum WriteError {
    /// Its condition does not hold of this item.
    Refused(Option<Item>),
    /// The request failed.
    Failed(AnyFailure),
}

impl WriteError {
    fn of<E>(error: SdkError<E, HttpResponse>, refusal: impl Fn(&E) -> Option<&ConditionalCheckFailedException>) -> Self
    where
        E: ProvideErrorMetadata + Error + fmt::Debug + Send + Sync + 'static,
    {
        match error.as_service_error().and_then(refusal) {
            Some(refused) => Self::Refused(refused.item().filter(|item| !item.is_empty()).cloned()),
            None => Self::Failed(AnyFailure::of(Failed(error))),
        }
    }
}

/// A failed request of any kind: what can be done about it, and what to say if that does not help.
pub(super) struct AnyFailure {
    remedy: Remedy,
    failure: Box<dyn FnOnce(&'static str) -> BackendFailure + Send>,
}

impl AnyFailure {
    fn of<E: ProvideErrorMetadata + Error + fmt::Debug + Send + Sync + 'static>(failed: Failed<E>) -> Self {
        Self { remedy: failed.remedy(), failure: Box::new(|operation| failed.into_failure(operation)) }
    }
}

impl<E: ProvideErrorMetadata + Error + fmt::Debug + Send + Sync + 'static> From<Failed<E>> for AnyFailure {
    fn from(failed: Failed<E>) -> Self {
        Self::of(failed)
    }
}

/// Why a transaction was not done.
enum Cancelled {
    Refused(Refusals),
    /// Others are changing the same items, or there are too many requests.
    ByOthers,
}

fn cancelled(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> Option<Cancelled> {
    const BY_OTHERS: [&str; 3] = ["TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"];
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error.as_service_error()? else {
        return None;
    };
    let reasons = cancelled.cancellation_reasons();
    let refusals = Refusals::of(reasons);
    if !refusals.0.is_empty() {
        return Some(Cancelled::Refused(refusals));
    }
    let is_by_others = |reason: &CancellationReason| reason.code().is_some_and(|code| BY_OTHERS.contains(&code));
    reasons.iter().any(is_by_others).then_some(Cancelled::ByOthers)
}

fn busy(operation: &'static str) -> BackendFailure {
    transient(operation, DynamoDbFailure::Busy)
}

/// For how long yet something is tried anew.
pub(super) struct Tries {
    end: Instant,
    bound: Duration,
    /// Whether one of those before may have been done.
    may_be_done: bool,
}

impl Tries {
    pub(super) fn new(retry_for: Duration) -> Self {
        Self { end: Instant::now() + retry_for, bound: FIRST_PAUSE, may_be_done: false }
    }

    /// Waits until it is time to try anew; an error when the time is over, or trying does not help.
    pub(super) async fn again_after(
        &mut self,
        operation: &'static str,
        failed: impl Into<AnyFailure>,
    ) -> Result<(), BackendFailure> {
        let AnyFailure { remedy, failure } = failed.into();
        self.again(operation, remedy, || failure(operation)).await
    }

    /// Waits at random up to a bound that grows, unless the time would be over by then.
    pub(super) async fn again(
        &mut self,
        operation: &'static str,
        remedy: Remedy,
        failure: impl FnOnce() -> BackendFailure,
    ) -> Result<(), BackendFailure> {
        match remedy {
            Remedy::None if self.may_be_done => return Err(transient(operation, DynamoDbFailure::UnknownOutcome)),
            Remedy::None => return Err(failure()),
            Remedy::Again => {}
            Remedy::AgainIfRepeatable => self.may_be_done = true,
        }
        let pause = self.bound.mul_f64(random_part());
        self.bound = (self.bound * 2).min(LONGEST_PAUSE);
        if Instant::now() + pause > self.end {
            return Err(failure());
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// What it means that a write is refused: if one before may have been done, it may be refused because it was.
    fn judge(
        &self,
        operation: &'static str,
        write: &Write,
        token: &str,
        old: Option<Item>,
    ) -> Result<Written, RepositoryError> {
        if !self.may_be_done {
            return Ok(Written::Refused(old));
        }
        let Some(item) = &old else {
            let is_done = matches!(write.what, What::Delete);
            return Ok(if is_done { Written::Done(None) } else { Written::Refused(None) });
        };
        if item.get(WRITE).and_then(|value| value.as_s().ok()).is_some_and(|left| left == token) {
            return Ok(Written::Done(old));
        }
        match write.read_at {
            // One write at most leads from a revision to the next, and this is another's; after that, it may have been ours.
            Some(read_at) if !rows::revision_of(item, REVISION).is_ok_and(|now| now <= read_at.next()) => {
                Err(transient(operation, DynamoDbFailure::UnknownOutcome).into())
            }
            _ => Ok(Written::Refused(old)),
        }
    }
}

/// From nothing to all.
fn random_part() -> f64 {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    f64::from(random) / f64::from(u32::MAX)
}

/// A token that nobody else has.
pub(super) fn random_token() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    HEXLOWER.encode(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_expressions_are_told_apart() {
        let names = names_in(["#A = :a AND (#Bc <> :b OR attribute_exists(#A))"].into_iter()).unwrap();
        assert_eq!(names, HashMap::from([("#A", "A"), ("#Bc", "Bc")].map(|(a, b)| (a.to_owned(), b.to_owned()))));
        assert_eq!(names_in(["size(a)"].into_iter()), None);
    }

    #[test]
    fn an_update_says_each_clause_once() {
        let write = Write::update(Key::index("a", "b")).set("#A = :a").add("#N :n").set("#B = :b").unset("#C");
        assert_eq!(write.update_expression().unwrap(), "SET #A = :a, #B = :b ADD #N :n REMOVE #C ");
    }
}
