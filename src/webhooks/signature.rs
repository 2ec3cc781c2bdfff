//! The signature of a delivery: HMAC-SHA256 with the app's secret over the bytes as they came (5.2).

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode},
    response::IntoResponse as _,
};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::{receiver::Webhooks, refusal::Refusal};

/// Where Meta puts it.
const HEADER: &str = "x-hub-signature-256";

/// Checks signatures.
#[derive(Clone)]
pub struct Verifier(Option<Hmac<Sha256>>);

impl Verifier {
    /// HMAC takes a secret of any length, so there is always a key; were there none, nothing would pass.
    pub fn new(app_secret: &SecretString) -> Self {
        Self(Hmac::new_from_slice(app_secret.expose_secret().as_bytes()).ok())
    }

    /// Compares in constant time.
    fn check(&self, signature: &[u8; 32], body: &[u8]) -> Result<(), Refusal> {
        let mut mac = self.0.clone().ok_or(Refusal::WrongSignature)?;
        mac.update(body);
        mac.verify_slice(signature).map_err(|_| Refusal::WrongSignature)
    }
}

/// The signature a request carries: `sha256=` and 64 hexadecimal digits, exactly once.
fn signature_of(headers: &HeaderMap) -> Result<[u8; 32], Refusal> {
    let mut lines = headers.get_all(HEADER).iter();
    let line = lines.next().ok_or(Refusal::NotSigned)?;
    let digits = line.as_bytes().strip_prefix(b"sha256=").filter(|_| lines.next().is_none());
    let mut signature = [0; 32];
    hex::decode_to_slice(digits.ok_or(Refusal::MalformedSignature)?, &mut signature)
        .map_err(|_| Refusal::MalformedSignature)?;
    Ok(signature)
}

/// A body whose signature holds: there is no other way to one.
#[derive(Debug)]
pub struct SignedBody(pub Bytes);

impl FromRequest<Webhooks> for SignedBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, webhooks: &Webhooks) -> Result<Self, Refusal> {
        // Before the body is read: what carries no signature costs no memory.
        let signature = signature_of(request.headers())?;
        let body = Bytes::from_request(request, webhooks).await.map_err(|refused| {
            if refused.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
                Refusal::TooLarge
            } else {
                Refusal::Cut
            }
        })?;
        webhooks.verifier().check(&signature, &body)?;
        Ok(Self(body))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (HEADER.parse().unwrap(), HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn signatures_are_what_rfc_4231_says_they_are() {
        for (secret, body, expected) in [
            ("\x0b".repeat(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                "Jefe".to_owned(),
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
        ] {
            let verifier = Verifier::new(&secret.into());
            let mut signature = [0; 32];
            hex::decode_to_slice(expected, &mut signature).unwrap();
            assert_eq!(verifier.check(&signature, body.as_bytes()), Ok(()));
            assert_eq!(verifier.check(&signature, &body.as_bytes()[1..]), Err(Refusal::WrongSignature));
            for bit in 0..256 {
                let mut other = signature;
                other[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(verifier.check(&other, body.as_bytes()), Err(Refusal::WrongSignature), "bit {bit}");
            }
        }
    }

    #[test]
    fn the_signature_is_over_the_bytes_as_they_came() {
        // printf '{"name":"caf\\u00e9"}' | openssl dgst -sha256 -hmac app-secret
        let escaped = br#"{"name":"caf\u00e9"}"#;
        let mut mac = Hmac::<Sha256>::new_from_slice(b"app-secret").unwrap();
        mac.update(escaped);
        let signature: [u8; 32] = mac.finalize().into_bytes().into();
        let verifier = Verifier::new(&"app-secret".into());
        assert_eq!(verifier.check(&signature, escaped), Ok(()));
        for same_meaning in ["{\"name\":\"caf\u{e9}\"}", r#"{"name": "caf\u00e9"}"#, r#"{"name":"caf\u00E9"}"#] {
            assert_eq!(verifier.check(&signature, same_meaning.as_bytes()), Err(Refusal::WrongSignature));
        }
    }

    #[test]
    fn a_signature_is_there_once_and_whole() {
        const GOOD: &str = "sha256=b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        const UPPER: &str = "sha256=B0344C61D8DB38535CA8AFCEAF0BF12B881DC200C9833DA726E9376C2E32CFF7";
        assert!(signature_of(&headers(&[GOOD])).is_ok());
        assert_eq!(signature_of(&headers(&[UPPER])), signature_of(&headers(&[GOOD])));
        assert_eq!(signature_of(&headers(&[])), Err(Refusal::NotSigned));
        for bad in [
            "",
            "sha256=",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            "sha1=b0344c61d8db38535ca8afceaf0bf12b881dc200",
            "sha256=b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff",
            "sha256=b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff70",
            "sha256=g0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            "SHA256=b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ] {
            assert_eq!(signature_of(&headers(&[bad])), Err(Refusal::MalformedSignature), "{bad}");
        }
        assert_eq!(signature_of(&headers(&[GOOD, GOOD])), Err(Refusal::MalformedSignature));
    }
}
