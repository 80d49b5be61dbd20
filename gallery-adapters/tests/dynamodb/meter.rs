//! What requests cost, as the server says it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput};
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};

/// Requests, and the read and write units that they took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cost {
    pub(crate) requests: usize,
    pub(crate) read: f64,
    pub(crate) written: f64,
}

/// Reads the costs off the answers of a client that it is an interceptor of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<Mutex<Reading>>);

#[derive(Debug, Default)]
struct Reading {
    cost: Cost,
    operations: BTreeMap<&'static str, usize>,
}

impl Meter {
    /// The cost since the last time, and how often each operation was asked for.
    pub(crate) fn take(&self) -> (Cost, BTreeMap<&'static str, usize>) {
        let Reading { cost, operations } = std::mem::take(&mut *self.0.lock().unwrap());
        (cost, operations)
    }

    fn note(&self, operation: &'static str, is_read: bool, consumed: &[ConsumedCapacity]) {
        let mut reading = self.0.lock().unwrap();
        *reading.operations.entry(operation).or_default() += 1;
        reading.cost.requests += 1;
        let units: f64 = consumed.iter().filter_map(ConsumedCapacity::capacity_units).sum();
        let place = if is_read { &mut reading.cost.read } else { &mut reading.cost.written };
        *place += units;
    }
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "meter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        macro_rules! ask {
            ($($input:ty),*) => {
                $(if let Some(input) = context.input_mut().downcast_mut::<$input>() {
                    input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
                })*
            };
        }
        ask!(
            GetItemInput,
            QueryInput,
            BatchGetItemInput,
            PutItemInput,
            UpdateItemInput,
            DeleteItemInput,
            BatchWriteItemInput,
            TransactWriteItemsInput
        );
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Ok(output) = context.output_or_error() else {
            // What was refused is not told, but was asked for.
            self.note("refused", false, &[]);
            return Ok(());
        };
        macro_rules! read {
            ($($output:ty, $name:literal, $is_read:literal;)*) => {
                $(if let Some(output) = output.downcast_ref::<$output>() {
                    let consumed: Vec<ConsumedCapacity> = output.consumed_capacity.iter().cloned().collect();
                    self.note($name, $is_read, &consumed);
                })*
            };
        }
        read!(
            GetItemOutput, "GetItem", true;
            QueryOutput, "Query", true;
            PutItemOutput, "PutItem", false;
            UpdateItemOutput, "UpdateItem", false;
            DeleteItemOutput, "DeleteItem", false;
        );
        if let Some(output) = output.downcast_ref::<BatchGetItemOutput>() {
            self.note("BatchGetItem", true, output.consumed_capacity());
        }
        if let Some(output) = output.downcast_ref::<BatchWriteItemOutput>() {
            self.note("BatchWriteItem", false, output.consumed_capacity());
        }
        if let Some(output) = output.downcast_ref::<TransactWriteItemsOutput>() {
            self.note("TransactWriteItems", false, output.consumed_capacity());
        }
        Ok(())
    }
}
