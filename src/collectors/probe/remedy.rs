//! Ways out of a probe that fails: mostly somebody has to decide whether the server is wrong, or what is expected of it.

use super::config::Subject;
use super::ending::Ending;
use super::findings::Findings;
use crate::remedy::Remedy;
use crate::tls::problem::Problem;

/// What a person does about a probe that ended so, with what it has learned.
pub(super) fn ways_out(subject: &Subject, ending: Ending, found: &Findings) -> Vec<Remedy> {
    let problems = found.inspection.iter().flat_map(|inspection| &inspection.certificates.problems);
    let of_certificate: Vec<_> = match ending {
        Ending::Tls => problems.map(|problem| of_problem(subject, problem)).collect(),
        _ => Vec::new(),
    };
    if !of_certificate.is_empty() {
        return of_certificate;
    }
    let (why, what) = match ending {
        Ending::Connect => (
            format!("Nobody takes connections at {subject}."),
            "Start that server, or mend the target's address in Vitrin's configuration.",
        ),
        Ending::Dns if !matches!(subject, Subject::Dns(_)) => (
            format!("The name of {subject} does not resolve on this machine."),
            "Mend the name in Vitrin's configuration, or the name servers in /etc/resolv.conf.",
        ),
        Ending::Tls => (
            format!("TLS cannot be agreed on with {subject}."),
            "See what the server says: openssl s_client -connect HOST:PORT -servername HOST\n\
             A page without TLS is written http://.",
        ),
        Ending::Status => (
            format!("{subject} answers with another status than expected."),
            "Where it wants a login, set user and password, or bearer.\n\
             Where that status is right, name it in expect_status.",
        ),
        _ => return Vec::new(),
    };
    vec![Remedy::by_hand(why, format!("{what}\n"))]
}

/// What is done about a certificate.
fn of_problem(subject: &Subject, problem: &Problem) -> Remedy {
    let (why, what) = match problem {
        Problem::Expired { .. } => (
            "has expired",
            "Renew it, and let the server read it: certbot renew; nginx -s reload\n\
             The probe goes by this machine's clock: timedatectl",
        ),
        Problem::NotYetValid { .. } => {
            ("is not valid yet", "Look at this machine's clock, and the server's: timedatectl")
        }
        Problem::WrongName { .. } => (
            "is for another name",
            "Let the server show the one for this name (nginx: server_name, ssl_certificate),\n\
             or say by which name it is known: tls = { server_name = \"…\" }",
        ),
        Problem::IncompleteChain { .. } => (
            "comes without the chain that leads to an authority",
            "Let the server send all of it: ssl_certificate /etc/letsencrypt/live/…/fullchain.pem;",
        ),
        Problem::SelfSigned | Problem::Untrusted { .. } => (
            "is signed by nobody that this machine trusts",
            "If that is meant, name who is trusted: tls = { ca_file = \"…\" }",
        ),
        Problem::Other(_) => (
            "is not good",
            "See what it says: openssl s_client -connect HOST:PORT -servername HOST | openssl x509 -text",
        ),
    };
    Remedy::by_hand(format!("The certificate of {subject} {why}."), format!("{what}\n"))
}
