//! Whom the client trusts on https: the public certificate authorities, and those of the machine it runs on.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// TLS over ring, without touching the process-wide default provider.
///
/// Roots are compiled in, so that one file in an empty container can reach Meta; the machine's own are added, for networks
/// whose proxy signs with an authority of its own. Unreadable ones among these are left out.
///
/// # Errors
/// When ring knows none of the protocol's versions.
pub fn config() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
