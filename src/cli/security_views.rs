//! `vitrin security-views`: the SQL that lets a database tell counts for the security score.

use std::io::Write;
use std::process::ExitCode;

use crate::collectors::security::views::{Engine, Server, Wanted, is_plain, statements};

/// What stands below the flags.
const EXAMPLES: &str = "\
Examples:
  vitrin security-views --server mariadb --schema shop --prefix oc_ --account shop | mariadb
  vitrin security-views --server mysql --engine wordpress --schema wp --prefix wp_ --account wp | mysql";

/// Print the SQL that lets a database tell counts for the security score.
///
/// It makes the schema vitrin_security with three views that run with root's rights and count: accounts without a password,
/// rights of the shop's account, administrators by the kind of their password's hash. Who reads them sees no password, no
/// hash and no name of a person. To be run as root, once, and again after an update of Vitrin that says so.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Which server it is.
    #[arg(long, value_enum)]
    server: Server,

    /// Which shop it is.
    #[arg(long, value_enum, default_value = "opencart")]
    engine: Engine,

    /// The schema that holds the shop's tables (`DB_DATABASE` in OpenCart's config.php).
    #[arg(long, value_name = "NAME", value_parser = plain)]
    schema: String,

    /// What the names of the shop's tables begin with (`DB_PREFIX`); empty for nothing.
    #[arg(long, value_name = "PREFIX", default_value = "oc_", value_parser = prefix)]
    prefix: String,

    /// The user that the shop logs in to the database with (`DB_USERNAME`).
    #[arg(long, value_name = "NAME", value_parser = plain)]
    account: String,

    /// The user that Vitrin logs in with.
    #[arg(long, value_name = "NAME", default_value = "vitrin", value_parser = plain)]
    user: String,

    /// The host that this user logs in from.
    #[arg(long, value_name = "HOST", default_value = "localhost", value_parser = host)]
    host: String,
}

fn plain(text: &str) -> Result<String, String> {
    is_plain(text).then(|| text.to_owned()).ok_or_else(|| "a name has letters, digits, `_`, `-` and `.`".to_owned())
}

fn prefix(text: &str) -> Result<String, String> {
    if text.is_empty() { Ok(String::new()) } else { plain(text) }
}

fn host(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "_-.:%".contains(c);
    let is_host = !text.is_empty() && text.len() <= 255 && text.chars().all(legal);
    is_host.then(|| text.to_owned()).ok_or_else(|| "a host has letters, digits, `.`, `-`, `_`, `:` and `%`".to_owned())
}

pub(super) fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let wanted = Wanted {
        server: args.server,
        engine: args.engine,
        schema: &args.schema,
        prefix: &args.prefix,
        account: &args.account,
        reader: (&args.user, &args.host),
    };
    out.write_all(statements(&wanted).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
