//! Headers of a request, as they are written: names in whatever case, values with holes.

use std::collections::BTreeMap;

use hyper::header::{self, HeaderName};
use serde::de::{Deserialize, Deserializer, Error as _};

use crate::collectors::marketplace::preset::template::Template;

/// Headers that are made from the rest, or are about the connection and how a body is sent on it, which is ours.
const RESERVED: [HeaderName; 8] = [
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Headers whose values are secrets, whoever writes them.
const SECRET: [HeaderName; 3] = [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION];

/// Headers by their names in lower case.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Headers(pub(crate) BTreeMap<String, Template>);

impl Headers {
    /// `Authorization: Bearer …`, how an access token is sent when nobody says.
    pub(crate) fn bearer() -> Self {
        let bearer = "Bearer {{token}}".parse().expect("it is a template");
        Self(BTreeMap::from([(header::AUTHORIZATION.as_str().to_owned(), bearer)]))
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut headers = BTreeMap::new();
        for (written, value) in BTreeMap::<String, Template>::deserialize(deserializer)? {
            let name = name(&written, &value).map_err(D::Error::custom)?;
            if headers.insert(name, value).is_some() {
                let message = format!("the header `{written}` is there twice\nupper and lower case are alike");
                return Err(D::Error::custom(message));
            }
        }
        Ok(Self(headers))
    }
}

fn name(written: &str, value: &Template) -> Result<String, String> {
    let name: HeaderName = written.parse().map_err(|_| {
        format!("`{written}` is not the name of a header\nletters, digits and `-`, for example `Accept`")
    })?;
    if RESERVED.contains(&name) {
        return Err(format!("the header `{written}` is made by Vitrin\nleave it out"));
    }
    // Not repeated: it is the secret.
    if SECRET.contains(&name) && !value.is_secret() {
        return Err(format!(
            "the value of the header `{written}` is a secret, which does not belong in this file\n\
             write {written} = \"{{{{secret.name}}}}\", or an auth"
        ));
    }
    if value.has_control() {
        return Err(format!("the header `{written}` has a line break in it\nwrite it on one line"));
    }
    Ok(name.as_str().to_owned())
}
