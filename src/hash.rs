//! Content hashes: equal values, equal hash.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// The first 128 bits of the SHA-256 of the value's JSON, in hex.
pub fn hash<T: Serialize + ?Sized>(value: &T) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    short(Sha256::new_with_prefix(text.as_bytes()))
}

/// The first 128 bits of what was hashed, in hex.
pub fn short(hash: Sha256) -> String {
    let digest = hash.finalize();
    let bits = digest
        .iter()
        .take(16)
        .fold(0, |bits: u128, byte| bits << 8 | u128::from(*byte));
    format!("{bits:032x}")
}
