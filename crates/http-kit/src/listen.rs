//! Where a server listens and who is at the other end.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// A Unix socket is for the reverse proxy of the same group, not for every account of the machine. An
/// operator puts nginx's user into the service's group (compose gives both the same group id).
const SOCKET_MODE: u32 = 0o660;

/// Where to listen: `HOST:PORT` (port 0 lets the system choose) or `unix:/path/to.sock`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// `HOST:PORT`; a host name is resolved when binding.
    Tcp(String),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// Why a text is no [`ListenAddress`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not an address to listen on: expected HOST:PORT or unix:/path/to.sock")]
pub struct ListenAddressError {
    text: String,
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || ListenAddressError {
            text: text.to_owned(),
        };
        let text = text.trim();
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') {
                Ok(Self::Unix(PathBuf::from(path)))
            } else {
                Err(refuse())
            };
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(refuse)?;
        let bare_v6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        if host.is_empty() || bare_v6 || host.contains(['/', ' ']) || port.parse::<u16>().is_err() {
            return Err(refuse());
        }
        Ok(Self::Tcp(text.to_owned()))
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => formatter.write_str(address),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

/// The other end of a connection. [`crate::serve`] puts it into every request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The address of the socket's other end, with an IPv4 address never dressed as IPv6.
    Tcp(SocketAddr),
    /// A process of this machine, through a Unix socket.
    Unix,
}

impl Peer {
    /// The peer's address; none for a Unix socket.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip()),
            Self::Unix => None,
        }
    }
}

/// A bound socket, ready for [`crate::serve`].
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    /// Where it listens until it takes the place of another process's socket.
    pub(crate) beside: Option<Beside>,
    /// Whether who asks for the address finds this socket.
    pub(crate) is_in_place: Arc<AtomicBool>,
}

/// A socket's name that goes away with the value. After a rename there is nothing left to remove.
#[derive(Debug)]
pub(crate) struct Beside(pub(crate) PathBuf);

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

/// One accepted connection.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Listener {
    /// Binds the address. Must be called inside a tokio runtime.
    ///
    /// A Unix socket that another process still answers on is an `AddrInUse` error; a dead one is replaced
    /// by a rename, so that a proxy which connects meanwhile never finds the path missing. The socket's mode
    /// is 0660. It is not removed when the server ends: the next server may already have taken the path.
    pub async fn bind(address: &ListenAddress) -> io::Result<Self> {
        let mut listener = Self::bind_beside(address).await?;
        if let (Some(_), ListenAddress::Unix(path)) = (&listener.beside, address) {
            if UnixStream::connect(path).await.is_ok() {
                let text = format!("another process answers on {}", path.display());
                return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
            }
            listener.take_place()?;
        }
        Ok(listener)
    }

    /// Binds the address, a Unix socket under a name beside it: nobody finds it until it [takes its place](Self::take_place).
    pub(crate) async fn bind_beside(address: &ListenAddress) -> io::Result<Self> {
        let (socket, beside) = match address {
            ListenAddress::Tcp(address) => (Socket::Tcp(TcpListener::bind(address.as_str()).await?), None),
            ListenAddress::Unix(path) => {
                let (listener, beside) = bind_unix(path)?;
                (Socket::Unix(listener, path.clone()), Some(beside))
            }
        };
        Ok(Self {
            is_in_place: Arc::new(AtomicBool::new(beside.is_none())),
            socket,
            beside,
        })
    }

    /// From here on whoever connects to the address finds this socket, and found another one, dead or alive, up to here: a
    /// rename leaves no moment between.
    pub(crate) fn take_place(&mut self) -> io::Result<()> {
        if let (Some(beside), Socket::Unix(_, path)) = (self.beside.take(), &self.socket) {
            std::fs::rename(&beside.0, path)?;
        }
        self.is_in_place.store(true, Ordering::Release);
        Ok(())
    }

    /// The path of a Unix socket.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.socket {
            Socket::Unix(_, path) => Some(path),
            Socket::Tcp(_) => None,
        }
    }

    /// The address that was bound, with the real port where the settings said 0.
    pub fn local_addr(&self) -> io::Result<ListenAddress> {
        match &self.socket {
            Socket::Tcp(listener) => Ok(ListenAddress::Tcp(listener.local_addr()?.to_string())),
            Socket::Unix(_, path) => Ok(ListenAddress::Unix(path.clone())),
        }
    }

    /// The address as a client writes it: `http://127.0.0.1:43121`, or `unix:/path/to.sock`.
    pub fn local_url(&self) -> io::Result<String> {
        Ok(match self.local_addr()? {
            ListenAddress::Tcp(address) => format!("http://{address}"),
            unix @ ListenAddress::Unix(_) => unix.to_string(),
        })
    }

    /// Waits for a connection. Cancelling the future loses none.
    pub(crate) async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                let address = SocketAddr::new(address.ip().to_canonical(), address.port());
                Ok((Stream::Tcp(stream), Peer::Tcp(address)))
            }
            Socket::Unix(listener, _) => Ok((Stream::Unix(listener.accept().await?.0), Peer::Unix)),
        }
    }
}

impl Stream {
    /// Sets what every TCP connection needs; nothing for a Unix socket.
    ///
    /// Without `TCP_NODELAY` a reply whose head and body leave in two writes waits for the client's delayed
    /// acknowledgement: measured eleven times fewer views a second.
    pub(crate) fn prepare(&self, write_stall: Duration) -> io::Result<()> {
        let Self::Tcp(stream) = self else { return Ok(()) };
        stream.set_nodelay(true)?;
        // SECURITY: only the kernel sees whether a client takes bytes out of a full window; the send buffer
        // hides it from us for megabytes. This is what cuts a client that never reads its reply.
        let milliseconds = u32::try_from(write_stall.as_millis()).unwrap_or(u32::MAX).max(1);
        rustix::net::sockopt::set_tcp_user_timeout(stream, milliseconds)?;
        Ok(())
    }
}

fn bind_unix(path: &Path) -> io::Result<(UnixListener, Beside)> {
    if let Ok(found) = std::fs::symlink_metadata(path)
        && !found.file_type().is_socket()
    {
        let text = format!("{} exists and is not a socket", path.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
    }
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(format!(".{}", std::process::id()));
    let fresh = Beside(PathBuf::from(fresh));
    let _ = std::fs::remove_file(&fresh.0);
    let listener = UnixListener::bind(&fresh.0)?;
    std::fs::set_permissions(&fresh.0, std::fs::Permissions::from_mode(SOCKET_MODE))?;
    Ok((listener, fresh))
}

#[cfg(test)]
mod tests {
    use super::ListenAddress;

    #[test]
    fn an_address_is_read_and_written_back() {
        for text in [
            "127.0.0.1:8080",
            "[::1]:0",
            "localhost:65535",
            "unix:/run/berth/upload.sock",
        ] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "8080",
            ":8080",
            "127.0.0.1:99999",
            "unix:relative.sock",
            "::1:8080",
            "http://x:1",
        ] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text}");
        }
    }
}
