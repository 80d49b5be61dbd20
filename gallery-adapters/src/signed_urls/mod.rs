//! URLs signed by HMAC.
