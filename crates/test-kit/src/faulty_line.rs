use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// What a line does to what goes over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Every connection is closed before a byte.
    Refuses,
    /// Connections are taken, and nothing is ever answered.
    Silent,
    /// Each connection breaks after so many bytes of requests.
    CutsRequests(u64),
    /// Each connection breaks after so many bytes of answers.
    CutsAnswers(u64),
    /// Every request is answered by 500.
    Stumbles,
}

/// A line to a server that can be cut. Changing what is wrong with it breaks the connections that there are.
#[derive(Debug)]
pub struct FaultyLine {
    address: SocketAddr,
    fault: watch::Sender<Fault>,
    _carrying: JoinSet<()>,
}

impl FaultyLine {
    /// A line to a server, with nothing wrong with it yet.
    ///
    /// # Panics
    /// When there is no port for it.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (fault, seen) = watch::channel(Fault::None);
        let mut carrying = JoinSet::new();
        carrying.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let mut changed = seen.clone();
                let fault = *changed.borrow_and_update();
                connections.spawn(async move {
                    tokio::select! {
                        () = carry(client, server, fault) => {}
                        _ = changed.changed() => {}
                    }
                });
            }
        });
        Self {
            address,
            fault,
            _carrying: carrying,
        }
    }

    /// Where it begins.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on this is wrong with it.
    pub fn has(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

async fn carry(mut client: TcpStream, server: SocketAddr, fault: Fault) {
    let (mut requests, mut answers) = (u64::MAX, u64::MAX);
    match fault {
        Fault::None => {}
        Fault::Refuses => return,
        Fault::Silent => {
            let mut nothing = tokio::io::sink();
            let _gone = tokio::io::copy(&mut client, &mut nothing).await;
            return std::future::pending().await;
        }
        Fault::CutsRequests(bytes) => requests = bytes,
        Fault::CutsAnswers(bytes) => answers = bytes,
        Fault::Stumbles => {
            let mut request = [0; 1024];
            let _read = client.read(&mut request).await;
            let answer =
                b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _sent = client.write_all(answer).await;
            return;
        }
    }
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let there = async {
        let mut limited = (&mut from_client).take(requests);
        tokio::io::copy(&mut limited, &mut to_server).await
    };
    let back = async {
        let mut limited = (&mut from_server).take(answers);
        tokio::io::copy(&mut limited, &mut to_client).await
    };
    // Whichever side ends first, or is cut, ends both.
    tokio::select! {
        _ = there => {}
        _ = back => {}
    }
}
