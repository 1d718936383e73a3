# The survey's scale of `transfer_effect` by R survey: means of indicators, and a Gini
# coefficient linearised by hand. Prints measure, with, without, se of with, se of the
# difference; then the seconds it took, reading and design left out.
suppressMessages(library(survey))
d <- read.csv(commandArgs(trailingOnly = TRUE)[1])
d$x <- d$income_total * 12 / d$months
d$r <- d$remittance * 12 / d$months
d$y1 <- d$x / d$size_persons
d$y0 <- (d$x - d$r) / d$size_persons
d$p <- d$weight * d$size_persons
z <- 500
design <- svydesign(ids = ~psu, strata = ~stratum, weights = ~p, data = d, nest = TRUE)
households <- svydesign(ids = ~psu, strata = ~stratum, weights = ~weight, data = d, nest = TRUE)

begin <- proc.time()[["elapsed"]]
say <- function(measure, with, without, se_with, se) {
  cat(measure, format(c(with, without, se_with, se), digits = 17, scientific = TRUE), "\n")
}
mean_of <- function(measure, with, without) {
  m <- svymean(~a + b + I(a - b), update(design, a = with, b = without))
  say(measure, coef(m)[[1]], coef(m)[[2]], SE(m)[[1]], SE(m)[[3]])
}
fgt <- function(y, alpha) ifelse(y < z, ((z - y) / z)^alpha, 0)
receive <- svymean(~I(as.numeric(r > 0)), households)
say("receiving_households", coef(receive)[[1]], 0, SE(receive)[[1]], SE(receive)[[1]])
receive <- svymean(~I(as.numeric(r > 0)), design)
say("receiving_persons", coef(receive)[[1]], 0, SE(receive)[[1]], SE(receive)[[1]])
mean_of("mean", d$y1, d$y0)
mean_of("headcount", fgt(d$y1, 0), fgt(d$y0, 0))
mean_of("gap", fgt(d$y1, 1), fgt(d$y0, 1))
mean_of("severity", fgt(d$y1, 2), fgt(d$y0, 2))

# Gini coefficient with mid-ranks, and the influence of every row on it.
gini <- function(y, w) {
  o <- order(y)
  y <- y[o]
  w <- w[o]
  W <- sum(w)
  Y <- sum(w * y)
  tie <- match(y, y)
  at <- rowsum(cbind(w, w * y), tie)
  group <- match(tie, as.integer(rownames(at)))
  below <- (cumsum(at[, 1]) - at[, 1] / 2)[group] / W
  above <- (Y - cumsum(at[, 2]) + at[, 2] / 2)[group]
  G <- 2 * sum(w * y * below) / Y - 1
  influence <- numeric(length(y))
  influence[o] <- (2 * y * below + 2 * above / W - (G + 1) * (y + Y / W)) / Y
  list(estimate = G, influence = influence)
}
g1 <- gini(d$y1, d$p)
g0 <- gini(d$y0, d$p)
total <- svytotal(~a + b, update(design, a = g1$influence, b = g1$influence - g0$influence))
say("gini", g1$estimate, g0$estimate, SE(total)[[1]], SE(total)[[2]])
cat("seconds", proc.time()[["elapsed"]] - begin, "\n")
