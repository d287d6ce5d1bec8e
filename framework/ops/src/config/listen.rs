use super::text::Text;

/// Where a server listens, if at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Nowhere.
    Off,
    /// At `host:port`; port 0 means any free one.
    At(String),
}

impl Text for Listen {
    fn parse(text: &str) -> Result<Listen, String> {
        if text == "off" {
            return Ok(Listen::Off);
        }
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(Listen::At(text.to_owned())),
            _ => Err(String::from("expected host:port, such as 127.0.0.1:8080 or 0.0.0.0:8080, or off")),
        }
    }

    fn write(&self) -> String {
        match self {
            Listen::Off => String::from("off"),
            Listen::At(address) => address.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_an_address_or_off() {
        assert_eq!(Listen::parse("off"), Ok(Listen::Off));
        assert_eq!(Listen::parse("[::1]:0"), Ok(Listen::At("[::1]:0".into())));
        for wrong in ["", "8080", ":8080", "localhost", "localhost:http", "localhost:70000"] {
            assert!(Listen::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
