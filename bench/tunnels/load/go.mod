module ws-conn-adapter/bench/tunnels/load

go 1.23.0
