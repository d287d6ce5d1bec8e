use super::text::Text;

impl Text for usize {
    fn parse(text: &str) -> Result<usize, String> {
        text.parse().ok().filter(|n| *n > 0).ok_or_else(|| String::from("expected a whole number of at least 1"))
    }
    fn write(&self) -> String {
        self.to_string()
    }
}

impl Text for i32 {
    fn parse(text: &str) -> Result<i32, String> {
        text.parse().ok().filter(|n| *n > 0).ok_or_else(|| String::from("expected a whole number of at least 1"))
    }
    fn write(&self) -> String {
        self.to_string()
    }
}

impl Text for bool {
    fn parse(text: &str) -> Result<bool, String> {
        text.parse().map_err(|_| String::from("expected true or false"))
    }
    fn write(&self) -> String {
        self.to_string()
    }
}
