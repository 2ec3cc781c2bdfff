//! A message to the client's admins, ready to send, in the languages that partners of this product write to clients.

use std::fmt::Write as _;

/// A language that the message is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    Portuguese,
    Spanish,
}

/// Where Portuguese is spoken, as ISO 3166 has it.
const PORTUGUESE: [&str; 6] = ["AO", "BR", "CV", "MZ", "PT", "ST"];

/// Where Spanish is.
const SPANISH: [&str; 20] = [
    "AR", "BO", "CL", "CO", "CR", "CU", "DO", "EC", "ES", "GQ", "GT", "HN", "MX", "NI", "PA", "PE", "PY", "SV", "UY",
    "VE",
];

impl Language {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::English, Self::Portuguese, Self::Spanish];

    /// Its key in `?reminder=`, and for `lang=`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Portuguese => "pt",
            Self::Spanish => "es",
        }
    }

    /// Its own name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Portuguese => "Português",
            Self::Spanish => "Español",
        }
    }

    /// Reads the key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.key() == key)
    }

    /// The one most likely spoken there. A country as Meta spells it; English where nobody knows.
    pub fn of_country(country: Option<&str>) -> Self {
        let country = country.map(str::to_ascii_uppercase);
        match country.as_deref() {
            Some(code) if PORTUGUESE.contains(&code) => Self::Portuguese,
            Some(code) if SPANISH.contains(&code) => Self::Spanish,
            _ => Self::English,
        }
    }

    /// The message, without its last line.
    fn text(self, business_name: &str) -> String {
        match self {
            Self::English => format!(
                "Hello,\n\nMeta has e-mailed the admins of {business_name} about the Marketing Messages API for WhatsApp (MM \
                 Lite). To accept, an admin with full control opens business.facebook.com, then Business Settings, Requests. It \
                 covers all your eligible WhatsApp accounts."
            ),
            Self::Portuguese => format!(
                "Olá,\n\nA Meta enviou um e-mail aos administradores de {business_name} sobre a API de Mensagens de Marketing \
                 para WhatsApp (Marketing Messages API for WhatsApp, MM Lite). Para aceitar, um administrador com controle total \
                 deve acessar business.facebook.com e abrir Configurações do negócio (Business Settings), Solicitações \
                 (Requests). A aceitação vale para todas as contas do WhatsApp qualificadas da empresa."
            ),
            Self::Spanish => format!(
                "Hola:\n\nMeta ha enviado un correo electrónico a los administradores de {business_name} sobre la API de mensajes \
                 de marketing para WhatsApp (Marketing Messages API for WhatsApp, MM Lite). Para aceptar, un administrador con \
                 control total debe entrar en business.facebook.com y abrir Configuración del negocio (Business Settings), \
                 Solicitudes (Requests). La aceptación vale para todas las cuentas de WhatsApp de la empresa que cumplen los \
                 requisitos."
            ),
        }
    }

    const fn id_label(self) -> &'static str {
        match self {
            Self::English => "Request ID",
            Self::Portuguese => "ID da solicitação",
            Self::Spanish => "ID de la solicitud",
        }
    }
}

/// A message to the client's admins, ready to send.
pub fn reminder(language: Language, business_name: &str, meta_request_id: Option<&str>) -> String {
    let mut text = language.text(business_name);
    if let Some(id) = meta_request_id {
        // Writing to a String can't fail.
        let _ = write!(text, "\n\n{}: {id}", language.id_label());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_names_the_business_the_product_the_place_and_the_id_if_there_is_one() {
        for language in Language::ALL {
            let text = reminder(language, "Casa Ipê", Some("512840733961207"));
            for part in [
                "Casa Ipê",
                "Marketing Messages API for WhatsApp",
                "MM Lite",
                "business.facebook.com",
                "Business Settings",
                "Requests",
            ] {
                assert!(text.contains(part), "{part}: {text}");
            }
            assert!(text.ends_with(": 512840733961207"), "{text}");
            assert!(reminder(language, "Casa Ipê", None).ends_with('.'));
            assert!(!text.contains("  "), "{text}");
        }
    }

    #[test]
    fn the_first_language_offered_is_the_country_s() {
        for (country, language) in [
            (Some("BR"), Language::Portuguese),
            (Some("pt"), Language::Portuguese),
            (Some("MX"), Language::Spanish),
            (Some("ES"), Language::Spanish),
            (Some("IN"), Language::English),
            (Some("Brazil"), Language::English),
            (None, Language::English),
        ] {
            assert_eq!(Language::of_country(country), language, "{country:?}");
        }
        for language in Language::ALL {
            assert_eq!(Language::from_key(language.key()), Some(language));
        }
        assert_eq!(Language::from_key("de"), None);
    }
}
