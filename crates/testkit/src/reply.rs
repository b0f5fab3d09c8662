use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// What was called, for the message of a failed test.
    pub(crate) call: String,
}

impl Reply {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// AWS's error code, of any protocol; empty for a success.
    pub fn code(&self) -> String {
        if self.status < 400 {
            return String::new();
        }
        let json = self.json();
        let header = self.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
        let named = json.get("__type").or_else(|| json.get("code")).and_then(Value::as_str).or(header);
        match named {
            Some(name) => {
                name.rsplit('#').next().unwrap_or(name).split(':').next().unwrap_or(name).to_owned()
            }
            None => self.element("Code").unwrap_or_default(),
        }
    }

    /// AWS's error message, of any protocol.
    pub fn message(&self) -> String {
        let json = self.json();
        let text = json.get("message").or_else(|| json.get("Message")).and_then(Value::as_str);
        text.map(str::to_owned).or_else(|| self.element("Message")).unwrap_or_default()
    }

    /// The text of the first XML element of this name, unescaped only for the five named entities.
    pub fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (inner, _) = rest.split_once(&format!("</{name}>"))?;
        let plain =
            inner.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
        Some(plain.replace("&#39;", "'").replace("&#34;", "\"").replace("&amp;", "&"))
    }

    /// The reply, if it is a success.
    ///
    /// # Panics
    /// When it is a refusal.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status < 300, "{} answered {}: {}", self.call, self.status, self.text());
        self
    }

    /// The reply, if it is this refusal.
    ///
    /// # Panics
    /// When it is a success or another refusal.
    #[track_caller]
    pub fn refused(self, code: &str, status: u16) -> Self {
        let (got, text) = ((self.code(), self.status), self.text());
        assert_eq!((got.0.as_str(), got.1), (code, status), "{} answered {text}", self.call);
        self
    }
}
