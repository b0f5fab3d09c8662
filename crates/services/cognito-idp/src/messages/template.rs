use homeport_service::needs::Channel;

/// A message with everything in its place.
pub(super) struct Filled {
    pub(super) subject: String,
    pub(super) body: String,
    pub(super) html: bool,
}

/// Fills a template. An e-mail whose template has tags is HTML, and what users chose is escaped in it; elsewhere
/// control characters are taken out of it (security decision 28).
pub(super) fn fill(channel: Channel, subject: &str, text: &str, username: &str, code: &str) -> Filled {
    let html = channel == Channel::Email && has_tags(text);
    let safe = |value: &str| if html { escaped(value) } else { stripped(value) };
    let body = replaced(text, &safe(username), &safe(code));
    let subject = stripped(&replaced(subject, &stripped(username), ""));
    Filled { subject, body, html }
}

/// Replaces both placeholders in one pass, so that a value which looks like a placeholder stays what it is.
fn replaced(text: &str, username: &str, code: &str) -> String {
    let mut filled = String::with_capacity(text.len() + username.len() + code.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        let (value, placeholder) = match from {
            _ if from.starts_with("{####}") => (code, "{####}"),
            _ if from.starts_with("{username}") => (username, "{username}"),
            _ => ("{", "{"),
        };
        filled.push_str(value);
        rest = &from[placeholder.len()..];
    }
    filled.push_str(rest);
    filled
}

fn has_tags(text: &str) -> bool {
    text.find('<').is_some_and(|at| text[at..].contains('>'))
}

fn escaped(value: &str) -> String {
    let mut safe = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other if other.is_control() => {}
            other => safe.push(other),
        }
    }
    safe
}

fn stripped(value: &str) -> String {
    value.chars().filter(|character| !character.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_once() {
        let filled = fill(Channel::Sms, "", "{username}: {####} {#} {", "{####}", "123456");
        assert_eq!(filled.body, "{####}: 123456 {#} {");
        assert!(!filled.html);
    }

    #[test]
    fn what_users_chose_is_no_html() {
        let filled = fill(Channel::Email, "Hi {username}", "<b>{username}</b> {####}", "<i>&\"'", "1");
        assert_eq!(filled.body, "<b>&lt;i&gt;&amp;&quot;&#39;</b> 1");
        assert!(filled.html);
        assert_eq!(filled.subject, "Hi <i>&\"'");
    }

    #[test]
    fn what_users_chose_starts_no_new_line() {
        let filled = fill(Channel::Email, "Hi {username}", "Code {####}", "ann\r\nBcc: x@example.com", "1");
        assert_eq!(filled.subject, "Hi annBcc: x@example.com");
        assert_eq!((filled.body.as_str(), filled.html), ("Code 1", false));
    }
}
