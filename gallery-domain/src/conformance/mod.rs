//! Public suites of clauses, one for each port, for anybody's adapter.
