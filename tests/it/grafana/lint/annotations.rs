//! What is drawn over every graph: when critical alerts fired.

use super::super::findings::Findings;
use super::super::model::{Dashboard, labels_of, text};
use super::super::query;
use super::{Context, queries, variables};
use crate::bundle::expression::{pinned, selectors};

pub(super) fn check(context: &Context, findings: &mut Findings<'_>, dashboard: &Dashboard) {
    let mut critical = false;
    for annotation in dashboard.annotations() {
        let name = text(annotation, "name");
        let mut say = |what: &str| findings.say("annotations", format!("\"{name}\": {what}"));
        if name.is_empty() {
            say("it has no name");
        }
        if annotation["enable"] != true {
            say("it is not switched on");
        }
        if !variables::is_ours(&annotation["datasource"]) {
            say("it does not ask ${datasource}");
        }
        if text(annotation, "step").is_empty() {
            say("without a step, its regions fall apart on a short view");
        }
        let expression = match query::parse(text(annotation, "expr")) {
            Ok(expression) => expression,
            Err(error) => {
                say(&error);
                continue;
            }
        };
        for complaint in expression.check(&context.catalogue) {
            say(&complaint);
        }
        let labels = expression.labels(&context.catalogue);
        let keys = text(annotation, "tagKeys").split(',').map(str::trim).filter(|key| !key.is_empty());
        let shown =
            labels_of(text(annotation, "titleFormat")).into_iter().chain(labels_of(text(annotation, "textFormat")));
        for label in keys.chain(shown).filter(|label| !labels.has(label)) {
            say(&format!("it shows the label `{label}`, which its series have not"));
        }
        if text(annotation, "titleFormat").is_empty() {
            say("it has no title");
        }
        selectors(expression.tree(), &mut |selector| {
            critical |= selector.name.as_deref() == Some("ALERTS") && pinned(selector, "severity") == Some("critical");
        });
        queries::only_originals(findings, &expression);
        queries::of_this_shop(context, findings, &expression);
    }
    findings.expect(critical, "annotations", "none shows when critical alerts fired");
}
