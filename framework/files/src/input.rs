use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

use crate::FileOptions;

/// A file in place of an input's topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInput {
    /// The input, by its topic.
    pub input: String,
    /// The file.
    pub path: PathBuf,
    /// How its rows become records.
    pub options: FileOptions,
}

/// A text that describes no file.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error(
    "{text:?}: {message}; expected INPUT=PATH[,key=COLUMN][,time=COLUMN][,text=COLUMN ...][,null=WORD ...], such as flights=flights.csv,key=tailnum,time=time_hour"
)]
pub struct BadInput {
    text: String,
    message: String,
}

/// `flights=flights.csv,key=tailnum,time=time_hour`: see [`FileOptions`] for what each says. Neither the path nor a column can have a comma in it.
impl FromStr for FileInput {
    type Err = BadInput;

    fn from_str(text: &str) -> Result<FileInput, BadInput> {
        let wrong = |message: String| BadInput { text: text.to_owned(), message };
        let mut parts = text.split(',');
        let first = parts.next().and_then(|first| first.split_once('='));
        let Some((input, path)) = first.filter(|(input, path)| !input.is_empty() && !path.is_empty()) else {
            return Err(wrong(String::from("it does not say which file is for which input")));
        };
        let mut options = FileOptions::new();
        for part in parts {
            let Some((name, value)) = part.split_once('=') else {
                return Err(wrong(format!("{part:?} is no option")));
            };
            if value.is_empty() && name != "null" {
                return Err(wrong(format!("{name:?} says nothing")));
            }
            options = match name {
                "key" if options.key.is_none() => options.key(value),
                "time" if options.time.is_none() => options.time(value),
                "key" | "time" => return Err(wrong(format!("{name:?} is said twice, and it is one column"))),
                "text" => options.text(value),
                "null" => options.null(value),
                _ => return Err(wrong(format!("there is no option {name:?}"))),
            };
        }
        Ok(FileInput { input: input.to_owned(), path: path.into(), options })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_input_and_its_options() {
        let options = FileOptions::new().key("tailnum").time("time_hour").text("flight").text("year").null("-").null("");
        let text = "flights=data/f=1.csv.gz,key=tailnum,time=time_hour,text=flight,text=year,null=-,null=";
        assert_eq!(text.parse(), Ok(FileInput { input: "flights".into(), path: "data/f=1.csv.gz".into(), options }));
        let plain = FileInput { input: "a".into(), path: "b".into(), options: FileOptions::new() };
        assert_eq!("a=b".parse(), Ok(plain));
    }

    #[test]
    fn says_what_is_wrong_with_others() {
        for (text, says) in [
            ("flights.csv", "which file is for which input"),
            ("=flights.csv", "which file is for which input"),
            ("a=b,key", "\"key\" is no option"),
            ("a=b,key=", "\"key\" says nothing"),
            ("a=b,key=x,key=y", "twice"),
            ("a=b,keys=x", "no option \"keys\""),
        ] {
            let error = text.parse::<FileInput>().unwrap_err().to_string();
            assert!(error.contains(says) && error.contains("INPUT=PATH"), "{text}: {error}");
        }
    }
}
