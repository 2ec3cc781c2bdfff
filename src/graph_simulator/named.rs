//! Enums whose every value has one kebab-case name, the same in a form, on a command line and in a log.

/// Declares such an enum with `ALL`, `name()`, `Display` and `FromStr`.
macro_rules! named {
    ($(#[$about:meta])* $type:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $type { $($(#[$doc])* $variant,)+ }

        impl $type {
            /// Every value, in the order they are offered.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name used in forms, flags and logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|value| value.name() == text).ok_or_else(|| {
                    format!("'{text}' is not one of: {}", Self::ALL.iter().map(|value| value.name()).collect::<Vec<_>>().join(", "))
                })
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}
pub(super) use named;

#[cfg(test)]
mod tests {
    named! {
        /// For the test.
        Colour {
            /// Like grass.
            Green = "green",
            /// Like ink.
            DarkBlue = "dark-blue",
        }
    }

    #[test]
    fn every_name_reads_back_as_its_value() {
        for colour in Colour::ALL {
            assert_eq!(colour.name().parse::<Colour>(), Ok(*colour));
        }
        assert_eq!("red".parse::<Colour>().unwrap_err(), "'red' is not one of: green, dark-blue");
    }
}
