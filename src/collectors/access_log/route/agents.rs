//! Crawlers and other programs, by what they call themselves. Whoever lies is not found, and need not be: this is about
//! the shop's figures, not about who may come in.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// What programs call themselves.
struct Agents {
    /// What some have anywhere in their name.
    anywhere: AhoCorasick,
    /// How others begin.
    begin: Vec<&'static str>,
}

static AGENTS: LazyLock<Agents> = LazyLock::new(|| {
    let rows = |kind: &'static str| {
        let lines = include_str!("agents.tsv").lines().filter(|line| !line.starts_with("# "));
        lines.filter_map(move |line| line.split_once('\t').filter(|(first, _)| *first == kind).map(|(_, text)| text))
    };
    // With few texts, and none of them in two letter cases at once, the search compares 16 bytes at a time.
    let anywhere = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(rows("anywhere"));
    Agents { anywhere: anywhere.expect("the tests build it"), begin: rows("begin").collect() }
});

/// Whether this program says that nobody looks at what it asks for.
pub(super) fn is_bot(agent: &[u8]) -> bool {
    // As all browsers do, since the first.
    let browser = agent.starts_with(b"Mozilla/");
    AGENTS.anywhere.is_match(agent)
        || (!browser && AGENTS.begin.iter().any(|begin| agent.starts_with(begin.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_say_so_are_bots() {
        for agent in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) \
             Chrome/116.0.1938.76 Safari/537.36",
            "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
            "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
            "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
            "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
            "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; \
             Bytespider; spider-feedback@bytedance.com)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
            "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36",
            "Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)",
            "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
            "AdsBot-Google (+http://www.google.com/adsbot.html)",
            "Googlebot-Image/1.0",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
            "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
            "Twitterbot/1.0",
            "TelegramBot (like TwitterBot)",
            "WhatsApp/2.23.20.0",
            "CCBot/2.0 (https://commoncrawl.org/faq/)",
            "Scrapy/2.11.0 (+https://scrapy.org)",
            "python-requests/2.32.3",
            "Python/3.11 aiohttp/3.9.1",
            "curl/8.5.0",
            "Wget/1.21.3",
            "Go-http-client/2.0",
            "WordPress/6.7; https://shop.example",
            "Prometheus/2.42.0",
            "Blackbox Exporter/0.24.0",
            "vitrin/0.1.0",
            "vitrin",
        ] {
            assert!(is_bot(agent.as_bytes()), "{agent}");
        }
    }

    #[test]
    fn people_are_not() {
        for agent in [
            "",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 \
             Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.104 Mobile \
             Safari/537.36",
            "Mozilla/5.0 (Linux; U; Android 5.1; Cubot Note S Build/LMY47I) AppleWebKit/537.36 Mobile Safari/537.36",
            "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 \
             [FBAN/FBIOS;FBAV/440.0.0.30.109;FBDV/iPhone14,5]",
            "Mozilla/5.0 (Linux; Android 14; SM-S918B; wv) AppleWebKit/537.36 Version/4.0 Chrome/120.0 Mobile Safari/537.36 \
             Instagram 312.0.0.34.111 Android",
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 GSA/15.1 Mobile Safari/537.36",
            "Opera/9.80 (Android; Opera Mini/62.2/191.283; U; tr) Presto/2.12.423 Version/12.16",
            "Dalvik/2.1.0 (Linux; U; Android 14; SM-S918B Build/UP1A)",
            "okhttp/4.12.0",
        ] {
            assert!(!is_bot(agent.as_bytes()), "{agent}");
        }
    }

    #[test]
    fn every_row_of_the_table_finds_itself() {
        let rows = include_str!("agents.tsv").lines().filter(|line| !line.starts_with("# "));
        for row in rows {
            let (kind, text) = row.split_once('\t').unwrap();
            assert!(["anywhere", "begin"].contains(&kind) && !text.contains('\t') && !text.is_empty(), "{row}");
            assert!(is_bot(text.as_bytes()), "{row}");
            assert_eq!(kind == "anywhere", is_bot(format!("Mozilla/5.0 ({text}").as_bytes()), "{row}");
        }
    }
}
