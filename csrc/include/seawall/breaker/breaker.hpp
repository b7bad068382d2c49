// The circuit breaker whole: its words (machine), its calls (enter, settle, open) and its keepers (operate).
#pragma once

#include "seawall/breaker/enter.hpp"
#include "seawall/breaker/operate.hpp"
#include "seawall/breaker/settle.hpp"
