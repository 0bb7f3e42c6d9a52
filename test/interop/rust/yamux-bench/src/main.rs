//! One end of the Rust-to-Rust measurement: rust-yamux over a tungstenite WebSocket. Without a URL it prints its port and
//! counts what comes. With one it does for each line `sink STREAMS BYTES SIZE` on its input what bench/sides/near.ts does.
//! Either answers `usage` with its processor time and peak of memory.

mod web_socket;

use std::future::poll_fn;
use std::io::Write;
use std::task::Poll;
use std::time::Instant;

use futures::future::join_all;
use futures::{AsyncReadExt, AsyncWriteExt};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::{accept_async, client_async};
use web_socket::WebSocket;
use yamux::{Config, Connection, Mode, Stream};

const HEAD: usize = 32;

type Openings = mpsc::UnboundedSender<oneshot::Sender<Stream>>;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    match std::env::args().nth(1) {
        Some(url) => dial(&url).await,
        None => listen().await,
    }
}

fn print(line: &str) {
    println!("{line}");
    std::io::stdout().flush().unwrap();
}

fn usage() -> String {
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    format!("{{\"cpu\":{cpu},\"peak\":{}}}", usage.ru_maxrss as f64 / 1024.0)
}

async fn listen() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    print(&listener.local_addr().unwrap().port().to_string());
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            tcp.set_nodelay(true).unwrap();
            let socket = WebSocket::new(accept_async(tcp).await.unwrap());
            run(Connection::new(socket, Config::default(), Mode::Server));
        }
    });
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while lines.next_line().await.unwrap().is_some() {
        print(&usage());
    }
}

async fn dial(url: &str) {
    let address = url.trim_start_matches("ws://");
    let tcp = TcpStream::connect(address).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    let (socket, _) = client_async(format!("{url}/"), tcp).await.unwrap();
    let openings = run(Connection::new(WebSocket::new(socket), Config::default(), Mode::Client));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line == "usage" {
            print(&usage());
            continue;
        }
        let numbers: Vec<usize> = line.split(' ').skip(1).map(|word| word.parse().unwrap()).collect();
        let rate = measure(&openings, numbers[0], numbers[1], numbers[2]).await;
        print(&format!("{{\"rate\":{rate}}}"));
    }
}

/// Drives a connection: streams that come are counted, others are opened as they are asked for.
fn run(mut connection: Connection<WebSocket<TcpStream>>) -> Openings {
    let (openings, mut wanted) = mpsc::unbounded_channel::<oneshot::Sender<Stream>>();
    tokio::spawn(async move {
        let mut next = None;
        poll_fn(|cx| loop {
            if next.is_none() {
                if let Poll::Ready(Some(one)) = wanted.poll_recv(cx) {
                    next = Some(one);
                }
            }
            if next.is_some() {
                if let Poll::Ready(stream) = connection.poll_new_outbound(cx) {
                    let _ = next.take().unwrap().send(stream.unwrap());
                    continue;
                }
            }
            match connection.poll_next_inbound(cx) {
                Poll::Ready(Some(Ok(stream))) => drop(tokio::spawn(sink(stream))),
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        })
        .await
    });
    openings
}

async fn sink(mut stream: Stream) {
    let mut head = [0; HEAD];
    if stream.read_exact(&mut head).await.is_err() {
        return;
    }
    let text = std::str::from_utf8(&head).unwrap();
    let mut left: usize = text.split(' ').nth(1).unwrap().parse().unwrap();
    let mut buffer = vec![0; 65_536];
    while left > 0 {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(length) => left = left.saturating_sub(length),
        }
    }
    let _ = stream.write_all(b".").await;
    let _ = stream.close().await;
}

async fn measure(openings: &Openings, streams: usize, bytes: usize, size: usize) -> f64 {
    let chunk = vec![b'x'; size];
    let start = Instant::now();
    join_all((0..streams).map(|_| fill(openings, bytes, &chunk))).await;
    (streams * bytes) as f64 / 1e6 / start.elapsed().as_secs_f64()
}

async fn fill(openings: &Openings, bytes: usize, chunk: &[u8]) {
    let (opening, opened) = oneshot::channel();
    openings.send(opening).unwrap();
    let mut stream = opened.await.unwrap();
    let head = format!("sink {bytes} {}", chunk.len());
    stream.write_all(format!("{head:<HEAD$}").as_bytes()).await.unwrap();
    let mut left = bytes;
    while left > 0 {
        stream.write_all(chunk).await.unwrap();
        left = left.saturating_sub(chunk.len());
    }
    stream.flush().await.unwrap();
    let mut answer = [0; 1];
    stream.read_exact(&mut answer).await.unwrap();
    let _ = stream.close().await;
}
