//! What goes over the wire between a client and a server, on its way.

use std::sync::{Arc, Mutex};

use kubewire_rest::Config;
use kubewire_rest::http::{Request, Response, header};
use kubewire_rest::transport::{Body, BoxFuture, Error, HttpClient, HttpService};

use super::asked_by;

/// Passes requests on to a server, and keeps what was asked for and how it was answered.
#[derive(Debug)]
pub struct Recorder {
    server: HttpClient,
    answers: Mutex<Vec<Answer>>,
}

#[derive(Clone, Debug)]
pub struct Answer {
    /// As of [`asked_by`], without its version.
    pub asked: String,
    /// 0 where there was no answer.
    pub code: u16,
    pub content_type: String,
}

impl Recorder {
    pub fn new(config: &Config) -> Arc<Self> {
        Arc::new(Self { server: HttpClient::new(config).unwrap(), answers: Mutex::default() })
    }

    pub fn answers(&self) -> Vec<Answer> {
        self.answers.lock().unwrap().clone()
    }
}

impl HttpService for Recorder {
    fn execute(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, Error>> {
        Box::pin(async move {
            let asked = asked_by(request.uri().query().unwrap_or(""));
            let asked = asked.split('@').next().unwrap_or_default().to_owned();
            let result = self.server.execute(request).await;
            let Ok(response) = result else {
                let answer = Answer { asked, code: 0, content_type: String::new() };
                self.answers.lock().unwrap().push(answer);
                return result;
            };
            let content_type = response.headers().get(header::CONTENT_TYPE);
            let content_type = content_type.map_or("", |value| value.to_str().unwrap()).to_owned();
            let code = response.status().as_u16();
            self.answers.lock().unwrap().push(Answer { asked, code, content_type });
            Ok(response)
        })
    }
}
