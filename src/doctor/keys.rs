//! The keys: whether every token that is kept opens with those given, and which of them are still needed.

use std::collections::BTreeMap;

use super::{Finding, Patient};
use crate::{
    sign_in::{TriedToken, try_tokens},
    vault::{Vault, VaultError},
};

const ABOUT: &str = "Keys";

/// Tries the tokens of every partner that may sign in.
pub(super) async fn examine(patient: &Patient, vault: &Vault) -> Finding {
    let mut tried = Vec::new();
    for partner in &patient.partners {
        match try_tokens(&patient.db, vault, partner).await {
            Ok(more) => tried.extend(more),
            Err(error) => {
                tracing::error!(%error, %partner, "tokens can't be read");
                return Finding::mend(ABOUT, "the tokens can’t be read: see the log, and mend the database first");
            }
        }
    }
    judge(&tried, &vault.key_ids())
}

fn judge(tried: &[TriedToken], keys: &[&str]) -> Finding {
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    for token in tried {
        *used.entry(&token.key_id).or_default() += 1;
    }
    let gone: Vec<&str> = used.keys().copied().filter(|id| !keys.contains(id)).collect();
    if !gone.is_empty() {
        let count: usize = gone.iter().map(|id| used[id]).sum();
        let text = format!(
            "{count} of {} tokens are sealed with {}, which ENCRYPTION_KEY does not hold: add it again at the end, or have their owners sign in anew",
            tried.len(),
            gone.join(", ")
        );
        return Finding::mend(ABOUT, text);
    }
    let damaged =
        tried.iter().filter(|token| matches!(token.opened, Err(VaultError::Damaged | VaultError::CannotSeal)));
    let damaged = damaged.count();
    if damaged > 0 {
        let text = format!(
            "{damaged} of {} tokens do not open: the key of that id is another one now. Put the former back, or have their owners sign in anew",
            tried.len()
        );
        return Finding::mend(ABOUT, text);
    }
    let first = keys.first().copied().unwrap_or_default();
    if tried.is_empty() {
        return Finding::ok(ABOUT, format!("no token is kept yet; {first} seals"));
    }
    let counts: Vec<String> = used.iter().map(|(id, count)| format!("{count} with {id}")).collect();
    let idle: Vec<&str> = keys.iter().skip(1).copied().filter(|id| !used.contains_key(id)).collect();
    let more = if idle.is_empty() { String::new() } else { format!("; no longer needed: {}", idle.join(", ")) };
    Finding::ok(ABOUT, format!("all tokens open, {}; {first} seals{more}", counts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(key_id: &str, opened: Result<(), VaultError>) -> TriedToken {
        TriedToken { key_id: key_id.to_owned(), opened }
    }

    #[test]
    fn a_key_is_missed_by_name_and_one_that_is_idle_may_go() {
        let (one, two) = (token("k1", Ok(())), token("k2", Ok(())));
        let lost = token("k0", Err(VaultError::UnknownKey("k0".into())));
        let damaged = token("k1", Err(VaultError::Damaged));
        for (tried, keys, well, words) in [
            (&[][..], &["k1"][..], true, "no token is kept yet; k1 seals"),
            (&[one.clone(), two.clone(), two.clone()], &["k2", "k1"], true, "1 with k1, 2 with k2; k2 seals"),
            (&[two], &["k2", "k1"], true, "no longer needed: k1"),
            (&[one.clone(), lost], &["k1"], false, "1 of 2 tokens are sealed with k0"),
            (&[one, damaged], &["k1"], false, "1 of 2 tokens do not open"),
        ] {
            let found = judge(tried, keys);
            assert_eq!(found.is_well, well, "{found}");
            assert!(found.text.contains(words), "{found}");
        }
    }
}
