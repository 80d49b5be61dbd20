//! What the index is asked for a query.
