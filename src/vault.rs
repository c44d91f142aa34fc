//! Secrets: values that can be neither printed nor serialized by accident, and how they are sealed.
//!
//! What is stored is AES-256-GCM under a master key of the deployment. The place a secret belongs
//! to is authenticated with it, so a sealed value copied to another connection or field stays shut.

use std::fmt;

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const NONCE_BYTES: usize = 12;

/// A credential in the clear, for as long as a request needs it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself: only for building a request or sealing.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares in the same time wherever, and however long, the two differ.
    pub fn matches(&self, presented: &str) -> bool {
        let ours = Sha256::digest(self.0.as_bytes());
        let theirs = Sha256::digest(presented.as_bytes());
        ours.as_slice().ct_eq(theirs.as_slice()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The field that a session of e.net is sealed for.
pub const SESSION: &str = "enet.session";

/// Where a sealed secret belongs: `acme`, `syspro.odata_password`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    pub connection: &'a str,
    pub field: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsealable {
    /// Sealed under a key this deployment does not hold.
    UnknownKey { version: String },
    /// Not something we sealed for this place.
    Damaged,
}

impl Unsealable {
    /// The version of the key that would open it.
    pub fn key(&self) -> Option<&str> {
        match self {
            Unsealable::UnknownKey { version } => Some(version),
            Unsealable::Damaged => None,
        }
    }
}

/// The deployment's master keys: everything is sealed under the newest and opened under any.
#[derive(Clone, Debug)]
pub struct MasterKeys {
    newest: MasterKey,
    previous: Option<MasterKey>,
}

#[derive(Clone)]
struct MasterKey {
    version: String,
    cipher: Aes256Gcm,
}

impl MasterKeys {
    /// Keys as the deployment holds them: 32 bytes in base64.
    ///
    /// # Errors
    /// A sentence for the operator that names the variable, never its value.
    pub fn parse(master: &str, previous: Option<&str>) -> Result<Self, String> {
        Ok(Self {
            newest: MasterKey::parse("MASTER_KEY", master)?,
            previous: previous
                .map(|text| MasterKey::parse("MASTER_KEY_PREVIOUS", text))
                .transpose()?,
        })
    }

    /// The version new secrets are sealed under.
    pub fn version(&self) -> &str {
        &self.newest.version
    }

    /// What everything sealed under the newest key begins with.
    pub fn prefix(&self) -> String {
        format!("v1.{}.", self.version())
    }

    pub fn is_newest(&self, sealed: &str) -> bool {
        sealed.starts_with(&self.prefix())
    }

    /// Whether what is sealed under this version opens.
    pub fn knows(&self, version: &str) -> bool {
        let mut keys = std::iter::once(&self.newest).chain(&self.previous);
        keys.any(|key| key.version == version)
    }

    /// `v1.<key version>.<base64 of nonce and ciphertext>`. A nonce must never be used twice.
    pub fn seal(&self, secret: &Secret, place: Place<'_>, nonce: [u8; NONCE_BYTES]) -> String {
        let MasterKey { version, cipher } = &self.newest;
        let aad = bound_to(place, version);
        let payload = Payload {
            msg: secret.expose().as_bytes(),
            aad: aad.as_bytes(),
        };
        let ciphertext = cipher
            .encrypt(Nonce::from_slice(&nonce), payload)
            // cannot fail: a request's body, and so a secret, is far shorter than AES-GCM's 64 GiB
            .expect("a secret is shorter than AES-GCM's 64 GiB");
        let bytes = [nonce.as_slice(), &ciphertext].concat();
        format!("{}{}", self.prefix(), BASE64.encode(bytes))
    }

    /// # Errors
    /// [`Unsealable`] tells a missing key from an altered value.
    pub fn open(&self, sealed: &str, place: Place<'_>) -> Result<Secret, Unsealable> {
        let (version, text) = sealed
            .strip_prefix("v1.")
            .and_then(|rest| rest.split_once('.'))
            .ok_or(Unsealable::Damaged)?;
        let key = std::iter::once(&self.newest)
            .chain(&self.previous)
            .find(|key| key.version == version)
            .ok_or_else(|| Unsealable::UnknownKey {
                version: version.to_owned(),
            })?;
        let bytes = BASE64.decode(text).map_err(|_| Unsealable::Damaged)?;
        let (nonce, ciphertext) = bytes
            .split_at_checked(NONCE_BYTES)
            .ok_or(Unsealable::Damaged)?;
        let aad = bound_to(place, version);
        let payload = Payload {
            msg: ciphertext,
            aad: aad.as_bytes(),
        };
        let clear = key
            .cipher
            .decrypt(Nonce::from_slice(nonce), payload)
            .map_err(|_| Unsealable::Damaged)?;
        String::from_utf8(clear)
            .map(Secret)
            .map_err(|_| Unsealable::Damaged)
    }
}

impl MasterKey {
    fn parse(variable: &str, text: &str) -> Result<Self, String> {
        let bytes = BASE64.decode(text.trim()).unwrap_or_default();
        let cipher = Aes256Gcm::new_from_slice(&bytes).map_err(|_| {
            format!("{variable} is not 32 bytes in base64: make one with `openssl rand -base64 32`")
        })?;
        let version = Sha256::digest(&bytes)
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Self { version, cipher })
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.version)
    }
}

/// The associated data: JSON, so that no two places read the same.
fn bound_to(place: Place<'_>, version: &str) -> String {
    serde_json::json!([place.connection, place.field, version]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const NEW: &str = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";
    const PLACE: Place<'_> = Place {
        connection: "acme",
        field: "hubspot.token",
    };

    fn keys(master: &str, previous: Option<&str>) -> MasterKeys {
        MasterKeys::parse(master, previous).expect("test keys are well formed")
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_and_nowhere_else() {
        let keys = keys(OLD, None);
        let secret = Secret::new("pat-na1-ümläut");
        let sealed = keys.seal(&secret, PLACE, [7; 12]);
        assert!(sealed.starts_with("v1.630dcd29."), "{sealed}");
        assert_eq!(keys.open(&sealed, PLACE), Ok(secret));
        for place in [
            Place {
                connection: "acme2",
                ..PLACE
            },
            Place {
                field: "syspro.odata_password",
                ..PLACE
            },
            Place {
                connection: "acme\",\"hubspot",
                field: "token",
            },
        ] {
            assert_eq!(
                keys.open(&sealed, place),
                Err(Unsealable::Damaged),
                "{place:?}"
            );
        }
    }

    #[test]
    fn nothing_altered_or_cut_opens() {
        let keys = keys(OLD, None);
        let sealed = keys.seal(&Secret::new("secret"), PLACE, [7; 12]);
        for end in 0..sealed.len() {
            assert!(keys.open(&sealed[..end], PLACE).is_err(), "cut at {end}");
        }
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(bytes).expect("ASCII stays ASCII");
            assert!(keys.open(&altered, PLACE).is_err(), "altered at {at}");
        }
        for text in [
            "",
            "v1",
            "v1.",
            "v1..",
            "v2.630dcd29.AAAA",
            "v1.630dcd29.",
            "v1.630dcd29.?",
        ] {
            assert!(keys.open(text, PLACE).is_err(), "{text}");
        }
    }

    #[test]
    fn the_previous_key_still_opens_and_the_newest_seals() {
        let before = keys(OLD, None);
        let between = keys(NEW, Some(OLD));
        let after = keys(NEW, None);
        let sealed = before.seal(&Secret::new("secret"), PLACE, [1; 12]);
        assert_eq!(between.open(&sealed, PLACE), Ok(Secret::new("secret")));
        assert_eq!(
            after.open(&sealed, PLACE),
            Err(Unsealable::UnknownKey {
                version: "630dcd29".to_owned()
            })
        );
        let again = between.seal(&Secret::new("secret"), PLACE, [2; 12]);
        assert_eq!(after.open(&again, PLACE), Ok(Secret::new("secret")));
        assert_eq!(after.version(), between.version());
    }

    #[test]
    fn a_key_of_another_size_is_refused_without_being_quoted() {
        for text in [
            "",
            "short",
            "AAECAwQFBgcICQoLDA0ODw==",
            "not base64 at all!",
        ] {
            let sentence = MasterKeys::parse(text, None).expect_err(text);
            assert!(
                sentence.starts_with("MASTER_KEY is not 32 bytes"),
                "{sentence}"
            );
            assert!(text.is_empty() || !sentence.contains(text), "{sentence}");
            let sentence = MasterKeys::parse(OLD, Some(text)).expect_err(text);
            assert!(sentence.starts_with("MASTER_KEY_PREVIOUS"), "{sentence}");
        }
        assert!(MasterKeys::parse(&format!("{}\n", OLD.trim_end_matches('=')), None).is_ok());
    }

    #[test]
    fn nothing_here_prints_what_it_holds() {
        let keys = keys(OLD, Some(NEW));
        let printed = format!(
            "{:?} {:?} {:#?}",
            Secret::new("hunter2"),
            keys,
            Some(Secret::new("hunter2"))
        );
        assert!(!printed.contains("hunter2"), "{printed}");
        assert!(
            !printed.contains("AAEC") && !printed.contains("[0, 1, 2"),
            "{printed}"
        );
    }

    #[test]
    fn a_secret_matches_itself_only() {
        let secret = Secret::new("token");
        for (presented, same) in [
            ("token", true),
            ("tokem", false),
            ("toke", false),
            ("tokens", false),
            ("", false),
        ] {
            assert_eq!(secret.matches(presented), same, "{presented}");
        }
    }
}
