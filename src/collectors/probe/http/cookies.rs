//! Cookies that a page sets on the way: some shops send whoever comes without one in a circle.

use hyper::header::{HeaderMap, HeaderValue, SET_COOKIE};
use url::Url;

/// The most cookies that are kept, and the longest.
const COOKIES: usize = 50;
const COOKIE_BYTES: usize = 4096;

/// The cookies of one probe: they go back to the host that set them, and no other.
#[derive(Debug, Default)]
pub(super) struct Cookies(Vec<Cookie>);

#[derive(Debug)]
struct Cookie {
    host: String,
    name: String,
    value: String,
    secure: bool,
}

impl Cookies {
    /// Takes what a page sets; the last of a name counts.
    pub(super) fn take(&mut self, url: &Url, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            let Some(cookie) = header.to_str().ok().and_then(|text| Cookie::of(url, text)) else { continue };
            self.0.retain(|other| (&other.host, &other.name) != (&cookie.host, &cookie.name));
            if self.0.len() < COOKIES {
                self.0.push(cookie);
            }
        }
    }

    /// What a request for this page says.
    pub(super) fn header(&self, url: &Url) -> Option<HeaderValue> {
        let goes = |cookie: &&Cookie| {
            Some(cookie.host.as_str()) == url.host_str() && (!cookie.secure || url.scheme() == "https")
        };
        let pairs: Vec<_> =
            self.0.iter().filter(goes).map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        let mut value = HeaderValue::from_str(&pairs.join("; ")).ok().filter(|value| !value.is_empty())?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl Cookie {
    fn of(url: &Url, text: &str) -> Option<Self> {
        let mut parts = text.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let secure = parts.any(|part| part.trim().eq_ignore_ascii_case("secure"));
        let [name, value] = [name, value].map(|text| text.trim().to_owned());
        let fits = !name.is_empty() && name.len() + value.len() <= COOKIE_BYTES;
        fits.then(|| Self { host: url.host_str().unwrap_or_default().to_owned(), name, value, secure })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn a_cookie_goes_back_to_the_host_that_set_it_and_to_no_other() {
        let mut cookies = Cookies::default();
        let mut set = HeaderMap::new();
        for cookie in ["OCSESSID=1; path=/; HttpOnly", "OCSESSID = 2 ", "currency=TRY; Secure", "nothing", "=x"] {
            set.append(SET_COOKIE, HeaderValue::from_static(cookie));
        }
        cookies.take(&url("https://shop.example/a"), &set);
        let header = |text: &str| cookies.header(&url(text)).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("https://shop.example/b").as_deref(), Some("OCSESSID=2; currency=TRY"));
        assert_eq!(header("http://shop.example/").as_deref(), Some("OCSESSID=2"));
        assert_eq!(header("https://www.shop.example/"), None);
    }

    #[test]
    fn cookies_are_few_and_short() {
        let mut cookies = Cookies::default();
        let mut set = HeaderMap::new();
        for number in 0..1000 {
            set.append(SET_COOKIE, format!("c{number}=1").parse().unwrap());
        }
        set.append(SET_COOKIE, format!("long={}", "x".repeat(5000)).parse().unwrap());
        cookies.take(&url("https://shop.example/"), &set);
        assert_eq!(cookies.0.len(), COOKIES);
    }
}
